"""The encoder `words`: from the command to a dataset whose new items get their words."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import prism_rec
from prism_rec.data import Dataset
from prism_rec.data.bag import Bag
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.errors import FolderError, InputError
from prism_rec.features.encoders.settings import HashedText, Words
from prism_rec.folders import require_folder
from prism_rec.stages.embed import Embed, embed


@pytest.fixture
def items(tmp_path: Path) -> Path:
    frame = {
        "item_id": ["a", "b", "c"],
        "title": ["red lamp", "red sofa", "chair"],
        "brand": ["Ikea", None, None],
    }
    pl.DataFrame(frame).write_csv(tmp_path / "items.csv")
    return tmp_path / "items.csv"


def test_the_command_says_how_many_items_have_words(items: Path, tmp_path: Path) -> None:
    words = ("embed", "--items", items, "--fields", "title", "--encoder", "words", "--out", tmp_path / "w")
    ran = prism_rec(*words)
    assert ran.out.splitlines() == [
        f"{tmp_path / 'w'}:",
        "2 of 3 items have a vector of 1 numbers",
        "encoded now: 2; encoded before: 0",
        "absent, no word that other items have: 1",
    ]
    every = prism_rec(*words, "--min-items", 1, "--replace", "--json", "--quiet")
    assert json.loads(every.out)["width"] == 4
    table = pl.read_parquet(tmp_path / "w/items.parquet")
    assert table["absent"].to_list() == [None, None, None]


def test_the_folder_has_words_and_vocabulary(items: Path, tmp_path: Path) -> None:
    embed(Embed(items=items, fields=("title", "brand"), encoder=Words(min_items=1)), tmp_path / "w")
    bag, ids = load_embedding(tmp_path / "w")
    assert isinstance(bag, Bag)
    assert ids == ["a", "b", "c"]
    assert bag.vocabulary.columns == ("title", "brand")
    assert bag.equals(Bag.of(pl.read_csv(items), ["title", "brand"], 1))


def test_words_replace_vectors_and_vectors_replace_words(items: Path, tmp_path: Path) -> None:
    out = tmp_path / "v"
    embed(Embed(items=items, encoder=HashedText(width=4)), out)
    with pytest.raises(FolderError, match="replace them with `replace`"):
        embed(Embed(items=items, encoder=Words()), out)
    embed(Embed(items=items, encoder=Words()), out, replace=True)
    assert isinstance(load_embedding(out)[0], Bag)
    assert not list(out.glob("vectors-*"))
    embed(Embed(items=items, encoder=HashedText(width=4)), out, replace=True)
    assert isinstance(load_embedding(out)[0], np.ndarray)
    assert "words.safetensors" not in require_folder(out, "embed")["files"]


def test_wrong_ids_are_refused_and_nothing_is_written(items: Path, tmp_path: Path) -> None:
    pl.read_csv(items).with_columns(item_id=pl.lit("a")).write_csv(tmp_path / "twice.csv")
    with pytest.raises(InputError, match="row 2 repeats the id 'a'"):
        embed(Embed(items=tmp_path / "twice.csv", encoder=Words()), tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_dataset_takes_the_folder(items: Path, tmp_path: Path) -> None:
    embed(Embed(items=items, encoder=Words(min_items=1)), tmp_path / "w")
    (tmp_path / "log.txt").write_text("u a b c\nv c b a\n")
    ran = prism_rec(
        *("prepare", "--source", "text", "--interactions", tmp_path / "log.txt", "--items", items),
        *("--features", f"words={tmp_path / 'w'}", "--out", tmp_path / "data", "--quiet"),
    )
    assert "modality words       width 4, 3 items (100.0%)" in ran.out
    assert isinstance(Dataset.load(tmp_path / "data").features["words"], Bag)
