from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from prism_rec.data import Dataset
from prism_rec.data.bag import Bag
from prism_rec.data.controls import control_features
from prism_rec.data.exports.mmrec import MMRecFolder
from prism_rec.data.new_items import add_items
from prism_rec.errors import DamagedError, InputError

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Red nail lacquer", "red, RED shampoo no. 7", None, "Žluťoučký shampoo"],
        "brand": ["opi", "opi", "dove", "unheard"],
        "category": [["Beauty", " Nail Care", ""], ["Beauty"], ["Beauty", "nail care", None], None],
        "size": [10, 20, None, 10],
        "price": [1.0, 2.0, 3.0, 4.0],
    }
)


def bag(*columns: str, min_items: int = 1, items: pl.DataFrame = ITEMS) -> Bag:
    return Bag.of(items, columns, min_items)


def dataset(**features: object) -> Dataset:
    log = pl.DataFrame({"user_id": list("uuuuvvvv"), "item_id": list("abcddcba")})
    return Dataset.from_frame(log, ITEMS, features, time="order")


def test_rows_are_those_of_a_known_vectoriser() -> None:
    texts = ["glow serum face serum", "face cream", "night cream for the face", "serum glow 30 ml"]
    made = bag("text", items=pl.DataFrame({"item_id": list("abcd"), "text": texts}))
    known = TfidfVectorizer(token_pattern=r"\w+")
    expected = known.fit_transform(texts)
    assert made.vocabulary.terms == tuple(known.get_feature_names_out())
    np.testing.assert_allclose(made.vectors.toarray(), expected.toarray(), atol=1e-7)


def test_text_is_cut_into_words_and_lists_into_their_values() -> None:
    made = bag("title", "brand", "category", "size")
    assert made.vocabulary.terms == (
        "10", "20", "7", "beauty", "dove", "lacquer", "nail", "nail care", "no", "opi", "red", "shampoo", "unheard",
        "žluťoučký",
    )  # fmt: skip
    assert made.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made.vectors.toarray(), axis=1), 1, rtol=1e-6)
    red = made.vocabulary.terms.index("red")
    assert made.vectors[1, red] > made.vectors[0, red] > 0  # twice there, once here


def test_an_item_without_a_word_of_the_vocabulary_is_absent() -> None:
    made = bag("title", min_items=2)
    assert made.vocabulary.terms == ("red", "shampoo")
    assert made.present.tolist() == [True, True, False, True]
    assert made.width == 2


@pytest.mark.parametrize(
    ("columns", "min_items", "message"),
    [
        (("title", "colour"), 1, "items has no column 'colour'; choose from item_id, title"),
        (("price",), 1, "items: column 'price' has the type Float64"),
        (("title",), 4, "items: no word of title is in 4 items"),
    ],
)
def test_columns_without_words_are_refused(columns: tuple[str, ...], min_items: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bag(*columns, min_items=min_items)


def test_a_dataset_aligns_it_by_id_and_keeps_it(tmp_path: Path) -> None:
    turned = ITEMS.reverse()
    made = dataset(
        words=(bag("title", "brand", items=turned), turned["item_id"]), image=(np.eye(4), list("abcd"))
    )
    rows = dict(zip(ITEMS["item_id"], bag("title", "brand").vectors.toarray(), strict=True))
    words = made.features["words"]
    assert isinstance(words, Bag)
    np.testing.assert_array_equal(words.vectors[1:].toarray(), [rows[item] for item in made.items["item_id"]])
    assert not words.vectors[[0]].nnz
    made.save(tmp_path / "data")
    loaded = Dataset.load(tmp_path / "data")
    assert list(loaded.features) == ["words", "image"]
    for name, table in made.features.items():
        assert table.equals(loaded.features[name])
    assert not made.features["words"].equals(loaded.features["image"])
    (tmp_path / "data/features/words.words.safetensors").write_bytes(b"0" * 8)
    with pytest.raises(DamagedError):
        Dataset.load(tmp_path / "data")


def test_a_changed_row_is_another_bag() -> None:
    made = bag("title")
    assert made.equals(bag("title"))
    assert not made.equals(made.take(np.array([1, 0, 2, 3])))
    assert not made.equals(bag("brand"))


def test_vectors_of_a_bag_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="'words' has the words of 4 items and 3 ids"):
        dataset(words=(bag("title"), list("abc")))
    with pytest.raises(InputError, match="none of its ids"):
        dataset(words=(bag("title"), list("wxyz")))
    empty = bag("title").take(np.array([-1, -1, -1, -1]))
    with pytest.raises(InputError, match="no item of the data has a word of it"):
        dataset(words=(empty, list("abcd")))


def test_what_is_missing_and_what_has_no_word_is_counted() -> None:
    made = dataset(words=(bag("title", min_items=2).take(slice(1, 4)), list("bcd")))
    assert made.features["words"].present.tolist() == [False, False, True, False, True]
    assert made.dropped["words_vectors_zero"] == 1


def test_a_new_item_is_weighed_with_the_words_that_are_known() -> None:
    made = dataset(words=(bag("title", "brand"), ITEMS["item_id"]))
    new = pl.DataFrame(
        {"item_id": ["n", "o"], "title": ["Red nail lacquer!", "mascara"], "brand": ["opi", None]}
    )
    words = add_items(made, new, {}).features["words"]
    assert isinstance(words, Bag)
    assert words.vocabulary is made.features["words"].vocabulary
    np.testing.assert_array_equal(words.vectors[[5]].toarray(), words.vectors[[1]].toarray())
    assert words.present.tolist() == [False, True, True, True, True, True, False]
    bare = add_items(made, new.drop("title"), {}).features["words"]
    assert bare.present.tolist() == [False, True, True, True, True, True, False]
    with pytest.raises(InputError, match="'words' is made of the columns title, brand of the items"):
        add_items(made, new, {"words": (np.eye(2), ["n", "o"])})


def test_words_do_not_extend_vectors() -> None:
    made = dataset(image=(np.eye(4), list("abcd")))
    new = pl.DataFrame({"item_id": ["n"], "title": ["red"]})
    with pytest.raises(InputError, match="'image' has words, and the model was trained with vectors"):
        add_items(made, new, {"image": (bag("title", items=new), ["n"])})


def test_controls_have_the_right_words_of_wrong_items_or_any_words() -> None:
    made = bag("title", "brand")
    shuffled = control_features({"words": made}, "shuffled", 0)["words"]
    assert isinstance(shuffled, Bag)
    rows = {tuple(row) for row in made.vectors.toarray()}
    assert {tuple(row) for row in shuffled.vectors.toarray()} == rows
    assert not shuffled.equals(made)
    random = control_features({"words": made}, "random", 0)["words"]
    assert not random.equals(made)
    np.testing.assert_array_equal(random.present, made.present)


def test_another_library_gets_a_matrix(tmp_path: Path) -> None:
    made = dataset(words=(bag("title"), ITEMS["item_id"]))
    MMRecFolder().write(made, tmp_path)
    found = np.load(tmp_path / "words_feat.npy")
    np.testing.assert_array_equal(found, made.features["words"].vectors[1:].toarray())
