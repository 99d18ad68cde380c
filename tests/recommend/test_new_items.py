"""Items that came after training: encoded like the data, scored by content, and saved with the run."""

import json
from copy import copy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from command_line import prism_rec
from prism_rec import Dataset, RunConfig, load
from prism_rec.errors import InputError
from prism_rec.features.encoders.settings import HashedText, PictureDescriptors
from prism_rec.recommend.recommender import Recommender
from prism_rec.runs.train import train
from prism_rec.stages.embed import Embed, embed
from recommend.test_recommender import Notes

TITLES = {
    "a": "quiet romance in paris",
    "b": "space war among robots",
    "c": "jazz at night",
    "d": "space robots and rebels",
    "e": "romance at night in paris",
    "f": "the baker of paris",
}
COLOURS = ["red", "green", "blue", "yellow", "purple", "orange"]
MODEL = {"width": 8, "max_length": 5, "fusion": {"kind": "prism_experts", "hidden": 6}}


def draw(folder: Path, colours: dict[str, str]) -> Path:
    folder.mkdir()
    for item, colour in colours.items():
        picture = Image.new("RGB", (40, 30), colour)
        picture.paste("white", (0, 0, 10, 10))
        picture.save(folder / f"{item}.png")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose data came from folders of embed, in `run`; the vectors of texts are in `text`."""
    shop = tmp_path_factory.mktemp("shop")
    items = pl.DataFrame({"item_id": list(TITLES), "title": list(TITLES.values())})
    items.write_parquet(shop / "items.parquet")
    embed(Embed(items=shop / "items.parquet", encoder=HashedText(width=5)), shop / "text")
    photos = draw(shop / "photos", dict(zip(TITLES, COLOURS, strict=True)))
    embed(Embed(pictures=photos, encoder=PictureDescriptors()), shop / "image")
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        [
            {"user_id": f"u{user}", "item_id": item, "timestamp": time}
            for user in range(12)
            for time, item in enumerate(random.permutation(list(TITLES))[:4])
        ]
    )
    features = {"text": shop / "text", "image": str(shop / "image")}
    dataset = Dataset.from_frame(log, items, features)
    dataset.save(shop / "data")
    config = RunConfig.parse({"model": MODEL, "train": {"epochs": 1}})
    train(config, shop / "run", data=shop / "data")
    return shop


@pytest.fixture
def recommender(shop: Path) -> Recommender:
    return load(shop / "run", "cpu")


def vector(recommender: Recommender, modality: str, item: str) -> np.ndarray:
    row = recommender.dataset.items["item_id"].index_of(item)
    assert row is not None
    return recommender.dataset.features[modality].vectors[1 + row]


def test_new_texts_and_pictures_get_the_vectors_of_equal_old_ones(
    recommender: Recommender, tmp_path: Path
) -> None:
    photos = draw(tmp_path / "photos", {"new": "blue", "of another item": "red"})
    frame = pl.DataFrame({"item_id": ["new", "bare"], "title": [TITLES["b"], None]})
    recommender.add_items(frame, pictures=photos)
    np.testing.assert_array_equal(vector(recommender, "text", "new"), vector(recommender, "text", "b"))
    np.testing.assert_array_equal(vector(recommender, "image", "new"), vector(recommender, "image", "c"))
    assert not vector(recommender, "text", "bare").any()
    row = recommender.recommend([["a"]], candidates=["new"]).row(0, named=True)
    assert row["title"] == TITLES["b"]
    assert row["id"] == pytest.approx(float(recommender.ranker.model.items.unknown_id))
    assert row["unique:text"] != 0


def test_an_added_item_is_there_after_saving_and_loading(
    recommender: Recommender, shop: Path, tmp_path: Path
) -> None:
    recommender.add_items(pl.DataFrame({"item_id": ["new"], "title": ["robots in paris"]}))
    recommender.save(tmp_path / "saved")
    loaded = load(tmp_path / "saved", "cpu")
    for question in ({"histories": [["a", "new"], []]}, {"users": ["u1", "nobody"]}):
        assert loaded.recommend(**question).equals(recommender.recommend(**question))
    assert loaded.explain(["a", "b"], "new") == recommender.explain(["a", "b"], "new")
    loaded.add_items(pl.DataFrame({"item_id": ["newer"], "title": ["robots in paris"]}))
    np.testing.assert_array_equal(vector(loaded, "text", "newer"), vector(loaded, "text", "new"))
    with pytest.raises(InputError, match="has earlier work in it"):
        loaded.save(shop / "run")


def test_an_explanation_says_that_a_new_item_has_no_id_of_its_own(recommender: Recommender) -> None:
    recommender.add_items(pl.DataFrame({"item_id": ["new"], "title": ["robots in paris"]}))
    new, old = (recommender.explain(["a", "b"], item) for item in ("new", "c"))
    assert (new.own_id, old.own_id) == (False, True)
    assert "largest part is id" not in new.sentence


def test_a_folder_without_histories_has_nobody_in_it_and_recommends_as_before(
    recommender: Recommender, tmp_path: Path
) -> None:
    recommender.save(tmp_path / "bundle", histories=False)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "bundle").rglob("*") if path.is_file())
    assert b"u1" not in everything
    bundle = load(tmp_path / "bundle", "cpu")
    assert bundle.dataset.interactions.is_empty()
    assert bundle.dataset.users.is_empty()
    question = {"histories": [["a"], ["strange"], []], "k": 3}
    assert bundle.recommend(**question).equals(recommender.recommend(**question))
    assert bundle.recommend(users=["u1"], k=2)["basis"].to_list() == ["popularity"] * 2
    assert bundle.explain(["a", "b"], "c") == recommender.explain(["a", "b"], "c")
    assert bundle.similar_items("a").equals(recommender.similar_items("a"))
    bundle.add_items(pl.DataFrame({"item_id": ["new"], "title": ["robots in paris"]}))
    assert bundle.recommend([[]], k=7)["item_id"].to_list()[-1] == "new"


def test_a_folder_of_embed_is_accepted_if_its_encoder_is_that_of_the_data(
    recommender: Recommender, shop: Path, tmp_path: Path
) -> None:
    new = pl.DataFrame({"item_id": ["new"], "title": ["robots at night"]})
    new.write_csv(tmp_path / "new.csv")
    embed(Embed(items=tmp_path / "new.csv", encoder=HashedText(width=5)), tmp_path / "other")
    with pytest.raises(InputError, match="of another encoder than those of 'text'"):
        copy(recommender).add_items(new, {"text": tmp_path / "other"})
    # Old and new texts that were encoded together: the model is trained on those of the old items.
    together = pl.concat([pl.read_parquet(shop / "items.parquet"), new])
    together.write_parquet(tmp_path / "together.parquet")
    embed(Embed(items=tmp_path / "together.parquet", encoder=HashedText(width=5)), tmp_path / "both")
    dataset = recommender.dataset.with_features({"text": tmp_path / "both"}, known_ids=new["item_id"])
    config = RunConfig.parse({"model": MODEL, "train": {"epochs": 1}})
    other = Recommender(train(config, tmp_path / "run", data=dataset))
    other.add_items(new, {"text": tmp_path / "both"})
    assert vector(other, "text", "new").any()


def test_vectors_of_unknown_origin_accept_no_folder_of_an_encoder_that_learns(
    recommender: Recommender, shop: Path
) -> None:
    table = recommender.dataset.features["text"]
    dataset = recommender.dataset.with_features({"text": table})
    assert set(dataset.encoders) == {"image"}
    recommender.dataset = dataset
    recommender.run = copy(recommender.run)
    object.__setattr__(recommender.run, "dataset", dataset)
    with pytest.raises(InputError, match="not known from which texts it learned for the vectors of 'text'"):
        recommender.add_items(pl.DataFrame({"item_id": ["new"]}), {"text": shop / "text"})


def test_missing_columns_are_noted_or_refused(recommender: Recommender) -> None:
    notes = Notes()
    recommender.add_items(pl.DataFrame({"item_id": ["new"]}), events=notes)
    assert notes.lines == [
        "note: new items have no title, so they have no feature text",
        "1 new items: 0 with text, 0 with image",
    ]
    with pytest.raises(InputError, match="a is in the catalogue already|'a' is in the catalogue"):
        recommender.add_items(pl.DataFrame({"item_id": ["a"], "title": ["x"]}))
    stored = dict(recommender.dataset.encoders["text"]) | {"fields": ["title", "genres"]}
    recommender._contents = type(recommender._contents)({"text": stored})
    with pytest.raises(InputError, match="no column 'genres', which feature 'text' is made of"):
        recommender.add_items(pl.DataFrame({"item_id": ["newer"], "title": ["x"]}))
    recommender.add_items(pl.DataFrame({"item_id": ["newer"], "title": ["x"]}), encode=False)


def test_a_whole_catalogue_may_be_given_and_what_is_known_is_counted(recommender: Recommender) -> None:
    notes, before = Notes(), recommender.dataset.items
    catalogue = pl.DataFrame({"item_id": ["a", "new", "b"], "title": ["changed", "space robots", "changed"]})
    recommender.add_items(catalogue, skip_known=True, events=notes)
    assert notes.lines == ["2 items are known already, 1 are new", "1 new items: 1 with text, 0 with image"]
    assert recommender.dataset.items.head(len(before)).equals(before)
    assert recommender.dataset.items["item_id"][-1] == "new"
    recommender.add_items(catalogue, skip_known=True, events=notes)
    assert notes.lines[2:] == ["3 items are known already, 0 are new"]


@pytest.mark.slow
def test_the_command_writes_a_run_with_the_new_items(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("item_id,title\n007,space robots\n008,\n")
    photos = draw(tmp_path / "photos", {"007": "red"})
    words = ["add-items", str(shop / "run"), "--items", str(tmp_path / "new.csv")]
    ran = prism_rec(*words, "--pictures", str(photos), "--out", str(tmp_path / "wider"))
    assert ran.out == f"{tmp_path / 'wider'}: 2 new items, 8 in all\n"
    assert "2 new items: 1 with text, 1 with image" in ran.err
    assert "note: 1 of 2 new items have no vectors, first 008" in ran.err
    ran = prism_rec("recommend", str(tmp_path / "wider"), "--history", "a,007", "--k", "9", "--json")
    assert {"008"} < {row["item_id"] for row in json.loads(ran.out)}
    ran = prism_rec("add-items", tmp_path / "wider", *words[2:], "--skip-known", "--out", tmp_path / "again")
    assert ran.out == f"{tmp_path / 'again'}: 0 new items, 8 in all\n"


def test_the_command_is_done_once_and_again_if_its_input_has_changed(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("item_id,title\n007,space robots\n")
    out = tmp_path / "wider"
    words = ["add-items", str(shop / "run"), "--items", str(tmp_path / "new.csv"), "--out", str(out)]
    assert "add-items: done before" not in prism_rec(*words).err
    ran = prism_rec(*words)
    assert "add-items: done before" in ran.err
    assert ran.out == f"{out}: 1 new items, 7 in all\n"
    (tmp_path / "new.csv").write_text("item_id,title\n007,space robots\n008,jazz\n")
    ran = prism_rec(*words)
    assert "other input files (new.csv)" in ran.err
    assert load(out, "cpu").dataset.items["item_id"].to_list()[-2:] == ["007", "008"]
    ran = prism_rec(*words, "--skip-known")
    assert ran.status == 2
    assert (
        "other settings (skip_known); name another folder, or replace what is there with --replace" in ran.err
    )
    assert prism_rec(*words, "--skip-known", "--replace").status == 0
    ran = prism_rec(*words[:-1], str(shop / "run"), "--replace")
    assert ran.status == 2
    assert "has earlier work in it" in ran.err


def test_pictures_of_which_none_is_of_an_item_are_refused(
    recommender: Recommender, shop: Path, tmp_path: Path
) -> None:
    photos = draw(tmp_path / "photos", {"shoe": "red", "sock": "blue"})
    new = pl.DataFrame({"item_id": ["new"], "title": ["robots"]})
    with pytest.raises(
        InputError, match=r"none of the 2 pictures in .* \(first shoe.png\) is of an item"
    ) as error:
        recommender.add_items(new, pictures=photos)
    assert "(first new item 'new')" in str(error.value)
    assert "prism-rec images" in str(error.value)
    notes = Notes()
    recommender.add_items(new, pictures=shop / "photos", events=notes)  # of known items
    assert notes.lines == ["1 new items: 1 with text, 0 with image"]
