from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from prism_rec.data import Dataset
from prism_rec.data.bag import Bag, BagTable
from prism_rec.data.controls import control_features
from prism_rec.data.new_items import add_items
from prism_rec.errors import InputError

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Red nail lacquer", "red, RED shampoo no. 7", None, "Žluťoučký shampoo"],
        "brand": ["opi", "opi", "dove", "unheard"],
        "category": [["Beauty", "Nail Care"], ["Beauty"], ["Beauty", "Nail Care"], None],
        "price": [1.0, 2.0, 3.0, 4.0],
    }
)


def fit(*columns: str, min_items: int = 1, items: pl.DataFrame = ITEMS) -> BagTable:
    return BagTable.fit("words", items, Bag(columns=columns, min_items=min_items))


def dataset(**features: object) -> Dataset:
    log = pl.DataFrame({"user_id": list("uuuuvvvv"), "item_id": list("abcddcba")})
    return Dataset.from_frame(log, ITEMS, features, time="order")


def test_rows_are_those_of_a_known_vectoriser() -> None:
    texts = [
        "glow serum face serum",
        "face cream",
        "night cream for the face",
        "serum glow 30 ml",
    ]
    table = fit("text", items=pl.DataFrame({"item_id": list("abcd"), "text": texts}))
    known = TfidfVectorizer(token_pattern=r"\w+")
    expected = known.fit_transform(texts)
    assert table.terms == tuple(known.get_feature_names_out())
    np.testing.assert_allclose(table.idf, known.idf_, rtol=1e-12)
    np.testing.assert_allclose(table.vectors[1:].toarray(), expected.toarray(), atol=1e-7)
    assert not table.vectors[[0]].nnz


def test_text_is_cut_into_words_and_lists_into_their_values() -> None:
    table = fit("title", "brand", "category")
    assert table.terms == (
        "7", "beauty", "dove", "lacquer", "nail", "nail care", "no", "opi", "red", "shampoo", "unheard", "žluťoučký",
    )  # fmt: skip
    assert table.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(table.vectors.toarray(), axis=1), [0, 1, 1, 1, 1], rtol=1e-6)
    red = table.terms.index("red")
    assert table.vectors[2, red] > table.vectors[1, red] > 0  # twice there, once here


def test_an_item_without_a_word_of_the_vocabulary_is_absent() -> None:
    table = fit("title", min_items=2)
    assert table.terms == ("red", "shampoo")
    assert table.present.tolist() == [False, True, True, False, True]
    assert (table.width, table.coverage) == (2, 0.75)


@pytest.mark.parametrize(
    ("columns", "min_items", "message"),
    [
        (("title", "colour"), 1, "bag 'words': the items have no column 'colour' .they have: item_id, title"),
        (("price",), 1, "bag 'words': column 'price' holds Float64"),
        (("title",), 4, "bag 'words': no word occurs in 4 items"),
    ],
)
def test_what_is_wrong_is_told(columns: tuple[str, ...], min_items: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(*columns, min_items=min_items)


def test_a_dataset_has_it_from_the_columns_of_its_items_and_keeps_it(tmp_path: Path) -> None:
    made = dataset(words=Bag(columns=("title", "brand")), image=(np.eye(4), list("abcd")))
    made.save(tmp_path / "data")
    loaded = Dataset.load(tmp_path / "data")
    assert list(loaded.features) == ["words", "image"]
    for name, table in made.features.items():
        assert table.equals(loaded.features[name])
    assert not made.features["words"].equals(loaded.features["image"])
    assert loaded.features["words"].bag == Bag(columns=("title", "brand"))
    np.testing.assert_array_equal(loaded.features["words"].idf, made.features["words"].idf)


def test_a_changed_row_is_another_table() -> None:
    table = fit("title")
    assert table.equals(fit("title"))
    assert not table.equals(table.take(np.array([0, 2, 1, 3, 4])))


def test_a_new_item_is_weighed_with_the_words_that_are_known() -> None:
    made = dataset(words=Bag(columns=("title", "brand"), min_items=1))
    new = pl.DataFrame(
        {"item_id": ["n", "o"], "title": ["Red nail lacquer!", "mascara"], "brand": ["opi", None]}
    )
    table = add_items(made, new, {}).features["words"]
    assert table.terms == made.features["words"].terms
    np.testing.assert_array_equal(table.vectors[[5]].toarray(), table.vectors[[1]].toarray())
    assert table.present.tolist() == [False, True, True, True, True, True, False]
    with pytest.raises(InputError, match="'words' is made of words; give the columns title, brand"):
        add_items(made, new, {"words": (np.eye(2), ["n", "o"])})


def test_controls_have_the_right_words_of_wrong_items_or_any_words() -> None:
    table = fit("title", "brand")
    shuffled = control_features({"words": table}, "shuffled", 0)["words"]
    rows = {tuple(row) for row in table.vectors.toarray()}
    assert {tuple(row) for row in shuffled.vectors.toarray()} == rows
    assert not shuffled.equals(table)
    random = control_features({"words": table}, "random", 0)["words"]
    assert not random.equals(table)
    np.testing.assert_array_equal(random.present, table.present)
