"""From raw dumps and pictures to a trained model, in the formats that are published."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from command_line import prism_rec
from prism_rec.config import read_yaml
from prism_rec.data import Dataset
from prism_rec.errors import FolderError
from prism_rec.features.encoders.settings import HashedText
from prism_rec.features.engines.ray import RayEngine
from prism_rec.stages.build import Build, build
from prism_rec.train import RunConfig, train_run
from raw_dumps import in_days, review_2014, review_2018, review_2023, review_yelp, write_lines

ITEMS = [f"B{number:03}" for number in range(10)]
NO_PICTURE, NO_TEXT = ITEMS[3], ITEMS[4]


def histories() -> dict[str, list[str]]:
    random = np.random.default_rng(0)
    return {f"A{user}": random.permutation(ITEMS)[:7].tolist() for user in range(20)}


def draw(item: str) -> bytes:
    colours = np.random.default_rng(ITEMS.index(item)).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(colours).resize((64, 48)).save(file, "PNG")
    return file.getvalue()


class Pictures(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:  # noqa: N802 - the name http.server looks for
        item = self.path.strip("/").removesuffix(".png")
        self.asked.append(item)
        body = b"" if item == NO_PICTURE else draw(item)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Pictures, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def describe_2014(item: str, picture: str) -> str:
    return repr(
        {"asin": item, "title": f"thing {item}", "categories": [["Home", "Lamps"]], "imUrl": picture}
        if item != NO_TEXT
        else {"asin": item, "price": 9.99, "imUrl": picture}
    )


def describe_2018(item: str, picture: str) -> dict[str, Any]:
    texts = {"title": f"thing {item}", "description": ["Nice"]} if item != NO_TEXT else {"title": ""}
    return {"asin": item, "imageURLHighRes": [picture], "imageURL": [], **texts}


def describe_2023(item: str, picture: str) -> dict[str, Any]:
    texts = {"title": f"thing {item}", "categories": ["Home"]} if item != NO_TEXT else {"title": None}
    return {"parent_asin": item, "images": [{"variant": "MAIN", "large": picture}], **texts}


AMAZON = {
    "amazon-2014": (review_2014, describe_2014),
    "amazon-2018": (review_2018, describe_2018),
    "amazon-2023": (review_2023, describe_2023),
}


def write_recipe(folder: Path, source: str, address: str) -> Path:
    """Write a dump and the recipe for it."""
    prepare: dict[str, Any] = {"cleaning": {"core": 2}}
    images: dict[str, Any] = {"size": 32, "allow_private": True}
    raw = folder / "raw"
    if source == "yelp":
        reviews = map(review_yelp, in_days(histories()))
        write_lines(raw / "yelp_academic_dataset_review.json", reviews)
        businesses = [{"business_id": item, "name": None if item == NO_TEXT else item} for item in ITEMS]
        write_lines(raw / "yelp_academic_dataset_business.json", businesses)
        photos = [{"photo_id": f"p{item}", "business_id": item, "label": "food"} for item in ITEMS]
        write_lines(raw / "photos.json", photos)
        (raw / "photos").mkdir()
        for item in set(ITEMS) - {NO_PICTURE}:
            (raw / "photos" / f"p{item}.jpg").write_bytes(draw(item))
        prepare |= {"source": {"kind": source, "folder": str(raw)}}
        images |= {"local": str(raw / "photos")}
    else:
        review, describe = AMAZON[source]
        reviews, meta = raw / "reviews.json.gz", raw / "meta.json.gz"
        write_lines(reviews, map(review, in_days(histories())))
        write_lines(meta, [describe(item, f"{address}/{item}.png") for item in ITEMS])
        prepare |= {"source": {"kind": source, "reviews": str(reviews), "metadata": str(meta)}}
    embed = {
        "text": {"encoder": "hashed-text", "fields": ["title", "categories"]},
        "image": {"encoder": "picture-descriptors", "engine": {"kind": "local", "workers": 0}},
    }
    recipe = {"prepare": prepare, "images": images, "embed": embed}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return folder / "recipe.yaml"


def invoke(recipe: Path, *overrides: str) -> str:
    """Build into the folder `out` next to the recipe; return the notes."""
    ran = prism_rec("build", *words_for(recipe, *overrides))
    assert ran.status == 0, ran.err
    return ran.err


def words_for(recipe: Path, *overrides: str) -> list[str]:
    changes = [word for override in overrides for word in ("--set", override)]
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
    model = {"width": 8, "max_length": 8, "fusion": {"kind": "prism"}}
    config = RunConfig.parse({"model": model, "train": {"epochs": 1, "batch_size": 8}}, "test")
    run = train_run(dataset, config, tmp_path / "run", device="cpu")
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


def test_only_what_a_change_touches_is_done_again(built: Path) -> None:
    out = built.parent / "out"
    shown = invoke(built, "embed.text.fields=[title]")
    assert steps_of(shown, done_before=False) == ["embed text", "join"]
    (out / "images/pictures.parquet").write_bytes(b"")
    assert steps_of(invoke(built, "embed.text.fields=[title]"), done_before=False)[0] == "images"
    (out / "vectors/image/manifest.json").unlink()
    assert steps_of(invoke(built, "embed.text.fields=[title]"), done_before=False)[0] == "embed image"
    assert steps_of(invoke(built, "prepare.cleaning.core=3"), done_before=False)[:1] == ["prepare"]


def test_a_touched_file_is_no_new_one_and_a_new_one_is(built: Path, address: str) -> None:
    meta = built.parent / "raw/meta.json.gz"
    meta.touch()
    assert steps_of(invoke(built), done_before=True) == STEPS
    asked = len(Pictures.asked)
    write_lines(meta, [{**describe_2018(item, f"{address}/{item}.png"), "brand": "New"} for item in ITEMS])
    assert steps_of(invoke(built), done_before=False)[:2] == ["prepare", "images"]
    assert len(Pictures.asked) == asked


def test_the_record_may_be_lost_or_damaged(built: Path) -> None:
    record = built.parent / "out/steps.json"
    asked = len(Pictures.asked)
    for text in ("", "[]", '{"prepare": 7}', '{"prepare": {"inputs": {"x": 7}}}'):
        record.write_text(text)
        assert steps_of(invoke(built), done_before=False) == STEPS
    assert len(Pictures.asked) == asked


def test_a_run_that_failed_goes_on_where_it_was(tmp_path: Path, address: str) -> None:
    recipe = write_recipe(tmp_path, "amazon-2014", address)
    assert "no column 'name'" in error_of(recipe, "embed.text.fields=[name]")
    assert steps_of(invoke(recipe), done_before=True) == ["prepare", "images"]


def test_the_function_is_silent_and_gives_the_folder_of_the_dataset(
    tmp_path: Path, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, "amazon-2014", address)
    assert build(Build.parse(read_yaml(recipe)), tmp_path / "made") == tmp_path / "made/dataset"
    assert capfd.readouterr() == ("", "")
    assert Dataset.load(tmp_path / "made/dataset").number_of_items == 10


def test_what_came_of_each_step_is_told(tmp_path: Path, address: str) -> None:
    shown = invoke(write_recipe(tmp_path, "amazon-2014", address)).splitlines()
    assert "  ok: 9; failed, http-404: 1" in shown
    assert "  9 of 10 items have a vector of 936 numbers" in shown
    assert "  absent, no text: 1" in shown


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


ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"


def test_the_recipe_of_the_guide_is_one(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/data.md").read_text()
    block = guide[guide.index("    prepare:  ") :].split("\n\n")[0]
    (tmp_path / "recipe.yaml").write_text(dedent(block))
    recipe = Build.parse(read_yaml(tmp_path / "recipe.yaml"), "guide")
    assert recipe.embed["image"].engine == RayEngine(workers=4, batch_size=256, device="cuda")
    assert recipe.embed["text"].encoder == HashedText()
    assert recipe.embed["text"].modality == "text"


@pytest.mark.parametrize("name", ["home", "beauty", "sports", "yelp"])
def test_the_recipes_are_whole(name: str) -> None:
    recipe = Build.parse(read_yaml(RECIPES / f"build-{name}.yaml"), name)
    assert recipe.prepare.cleaning.core == 5
    assert recipe.images is not None
    assert recipe.images.source_column == "images"
    assert list(recipe.embed) == ["image", "text"]
    assert recipe.embed["text"].fields[0] == "title"
