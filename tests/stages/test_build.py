"""From raw dumps and pictures to a trained model, in the formats that are published."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from command_line import prism_rec
from prism_rec.config import read_yaml
from prism_rec.data import Dataset
from prism_rec.errors import FolderError
from prism_rec.folders import begin_folder
from prism_rec.runs.train import train
from prism_rec.stages.build import Build, build
from prism_rec.training import RunConfig
from raw_dumps import write_lines
from stages.raw_shop import (
    AMAZON,
    ITEMS,
    NO_PICTURE,
    NO_TEXT,
    Pictures,
    describe_2018,
    histories,
    write_recipe,
)


def invoke(recipe: Path, *overrides: str) -> str:
    """Build into the folder `out` next to the recipe; return the notes."""
    ran = prism_rec("build", *words_for(recipe, *overrides))
    assert ran.status == 0, ran.err
    return ran.err


def words_for(recipe: Path, *overrides: str) -> list[str]:
    changes = [word for override in overrides for word in ("--set", override)]
    changes += ["--replace"]  # of other settings
    return [str(recipe), "--out", str(recipe.parent / "out"), *changes]


def error_of(recipe: Path, *overrides: str) -> str:
    """Return the one line of an error."""
    ran = prism_rec("build", *words_for(recipe, *overrides))
    assert ran.status == 2
    return next(line for line in ran.err.splitlines() if line.startswith("error: "))


def steps_of(shown: str, done_before: bool) -> list[str]:
    pairs = [line.split(": ") for line in shown.splitlines() if ": " in line]
    names = ("prepare", "images", "embed text", "embed image", "join")
    return [pair[0] for pair in pairs if pair[0] in names and (pair[1] == "done before") == done_before]


STEPS = ["prepare", "images", "embed text", "embed image", "join"]


@pytest.mark.parametrize("source", [*AMAZON, "yelp"])
@pytest.mark.slow
def test_from_raw_files_to_a_trained_model(tmp_path: Path, source: str, address: str) -> None:
    recipe = write_recipe(tmp_path, source, address)
    shown = invoke(recipe)
    assert steps_of(shown, done_before=False) == STEPS
    dataset = Dataset.load(tmp_path / "out/dataset")
    assert dataset.counts() == {"users": 20, "items": 10, "interactions": 140}
    items = dataset.items["item_id"].to_list()
    for user, user_id in enumerate(dataset.users["user_id"]):
        assert [items[item - 1] for item in dataset.histories[user]] == histories()[user_id]
    absent = {
        name: [items[row] for row in np.flatnonzero(~table.present[1:])]
        for name, table in dataset.features.items()
    }
    assert absent == {"text": [NO_TEXT], "image": [NO_PICTURE]}
    model = {"width": 8, "max_length": 8, "fusion": {"kind": "prism_experts"}}
    config = RunConfig.parse({"model": model, "train": {"epochs": 1, "batch_size": 8}}, "test")
    run = train(config, tmp_path / "run", data=dataset, device="cpu")
    assert set(run.dataset.features) == {"text", "image"}
    assert (tmp_path / "run/best.safetensors").exists()

    asked = len(Pictures.asked)
    assert steps_of(invoke(recipe), done_before=True) == STEPS
    assert len(Pictures.asked) == asked


@pytest.fixture
def built(tmp_path: Path, address: str) -> Path:
    recipe = write_recipe(tmp_path, "amazon-2018", address)
    invoke(recipe)
    return recipe


@pytest.mark.slow
def test_only_what_a_change_touches_is_done_again(built: Path) -> None:
    out = built.parent / "out"
    shown = invoke(built, "embed.text.fields=[title]")
    assert steps_of(shown, done_before=False) == ["embed text", "join"]
    (out / "images/pictures.parquet").write_bytes(b"")
    assert steps_of(invoke(built, "embed.text.fields=[title]"), done_before=False)[0] == "images"
    begin_folder(out / "vectors/image", "embed")
    assert steps_of(invoke(built, "embed.text.fields=[title]"), done_before=False)[0] == "embed image"
    assert steps_of(invoke(built, "prepare.cleaning.core=3"), done_before=False)[:1] == ["prepare"]


@pytest.mark.slow
def test_a_touched_file_is_no_new_one_and_a_new_one_is(built: Path, address: str) -> None:
    meta = built.parent / "raw/meta.json.gz"
    meta.touch()
    assert steps_of(invoke(built), done_before=True) == STEPS
    asked = len(Pictures.asked)
    write_lines(meta, [{**describe_2018(item, f"{address}/{item}.png"), "brand": "New"} for item in ITEMS])
    assert steps_of(invoke(built), done_before=False)[:2] == ["prepare", "images"]
    assert len(Pictures.asked) == asked


@pytest.mark.slow
def test_the_record_may_be_lost_or_damaged(built: Path) -> None:
    record = built.parent / "out/steps.json"
    asked = len(Pictures.asked)
    for text in ("", "[]", '{"prepare": 7}', '{"prepare": {"inputs": {"x": 7}}}'):
        record.write_text(text)
        assert steps_of(invoke(built), done_before=False) == STEPS
    assert len(Pictures.asked) == asked


@pytest.mark.slow
def test_a_run_that_failed_goes_on_where_it_was(tmp_path: Path, address: str) -> None:
    recipe = write_recipe(tmp_path, "amazon-2014", address)
    assert "no column 'name'" in error_of(recipe, "embed.text.fields=[name]")
    assert steps_of(invoke(recipe), done_before=True) == ["prepare", "images"]


@pytest.mark.slow
def test_the_function_is_silent_and_gives_the_folder_of_the_dataset(
    tmp_path: Path, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, "amazon-2014", address)
    assert build(Build.parse(read_yaml(recipe)), tmp_path / "made") == tmp_path / "made/dataset"
    assert capfd.readouterr() == ("", "")
    assert Dataset.load(tmp_path / "made/dataset").number_of_items == 10


@pytest.mark.slow
def test_what_came_of_each_step_is_told(tmp_path: Path, address: str) -> None:
    shown = invoke(write_recipe(tmp_path, "amazon-2014", address)).splitlines()
    assert "  ok: 9; failed, http-404: 1" in shown
    assert "  9 of 10 items have a vector of 936 numbers" in shown
    assert "  absent, no text: 1" in shown


@pytest.mark.slow
def test_another_engine_changes_nothing_and_another_encoder_does(built: Path) -> None:
    run = ("embed.text.engine={kind: local, batch_size: 2}", "embed.image.engine.device=cpu")
    assert steps_of(invoke(built, *run), done_before=True) == STEPS
    shown = invoke(built, "embed.text.encoder={kind: hashed-text, width: 8}")
    assert steps_of(shown, done_before=False) == ["embed text", "join"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["embed.text.encoder=nowhere/"], "not a kind of encoder, nor a folder, nor a model's name"),
        (["embed.image.encoder=hashed-text"], "embed.image: hashed-text encodes texts, not images"),
        (
            ["embed.image.engine={kind: ray, workers: 0}"],
            "embed.image.engine.workers: .*greater than or equal to 1",
        ),
        (["images.local=nowhere"], "nowhere: no such folder or archive of photos; check `local`"),
    ],
)
def test_a_wrong_setting_of_a_late_step_is_told_before_the_first(
    tmp_path: Path, address: str, overrides: list[str], message: str
) -> None:
    assert re.search(message, error_of(write_recipe(tmp_path, "amazon-2014", address), *overrides))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_dataset_says_what_it_was_made_from(built: Path) -> None:
    out = built.parent / "out"
    config = json.loads((out / "dataset/manifest.json").read_text())["config"]
    assert config["source"] == {
        "kind": "amazon-2018",
        "reviews": "reviews.json.gz",
        "metadata": "meta.json.gz",
    }
    assert list(config["raw_files"]) == ["raw/reviews.json.gz", "raw/meta.json.gz"]
    assert config["encoders"] == {
        "text": {"kind": "hashed-text", "width": 256, "fit_on": 20_000},
        "image": {"kind": "picture-descriptors"},
    }
    assert "modality image" in (out / "dataset/card.md").read_text()
    assert str(built.parent) not in (out / "dataset/manifest.json").read_text()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["prepare.soruce=x"],
            r"recipe\.yaml --set prepare\.soruce=x: unknown key prepare\.soruce; did you mean source",
        ),
        (["prepare.source.kind=csv"], r"prepare\.source\.kind: there is no 'csv'; choose one of table"),
        (["prepare.source.reviews=none.json"], r"none\.json: no such file; check the path"),
        (
            ["images=null"],
            "embed.image has no fields, so it encodes pictures, and there is no section images",
        ),
        (["embed={../x: {fields: [title]}}"], "feature name"),
        (
            ["embed.text.encoder=picture-descriptors"],
            "embed.text: picture-descriptors encodes images, not texts",
        ),
    ],
)
def test_wrong_recipes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = write_recipe(tmp_path, "amazon-2018", "http://127.0.0.1:1")
    if "embed" in overrides[0]:
        overrides = [*overrides, "images.attempts=1"]
    assert re.search(message, error_of(recipe, *overrides))
    assert not (tmp_path / "out/dataset").exists()


def test_a_file_is_not_an_output_folder(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "amazon-2018", "http://127.0.0.1:1")
    (tmp_path / "out").touch()
    settings = Build.parse(read_yaml(recipe))
    with pytest.raises(FolderError, match="out is a file; name a folder"):
        build(settings, tmp_path / "out")
