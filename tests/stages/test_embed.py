import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import prism_rec
from features.drawn import plain
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.errors import InputError
from prism_rec.features.encoders.settings import HashedText, HuggingFace, PictureDescriptors
from prism_rec.features.engines.local import LocalEngine
from prism_rec.folders import require_folder
from prism_rec.stages.embed import Embed, embed


@pytest.fixture
def items(tmp_path: Path) -> Path:
    frame = {"item_id": ["a", "b", "c"], "title": ["lamp", None, "sofa"], "brand": ["Ikea", None, None]}
    pl.DataFrame(frame).write_csv(tmp_path / "items.csv")
    return tmp_path / "items.csv"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    plain("RGB", (40, 30), "red").save(tmp_path / "p/a.png")
    return tmp_path / "p"


def test_texts_are_encoded_by_the_command(items: Path, tmp_path: Path) -> None:
    words = ("embed", "--items", items, "--encoder", "hashed-text", "--out", tmp_path / "t")
    ran = prism_rec(*words, "--fields", "brand", "--fields", "title")
    assert ran.out.splitlines() == [
        f"{tmp_path / 't'}:",
        "2 of 3 items have a vector of 256 numbers",
        "encoded now: 2; encoded before: 0",
        "absent, no text: 1",
    ]
    ran = prism_rec(*words, "--fields", "brand", "--fields", "title", "--quiet", "--json", "--width", 256)
    assert (json.loads(ran.out)["reused"], ran.err) == (2, "")
    refused = prism_rec(*words)
    assert refused.status == 2
    assert "vectors of other fields or another encoder; name another folder" in refused.err
    by_title = prism_rec(*words, "--replace")
    assert "encoded now: 2; encoded before: 0" in by_title.out, "without fields the text is the title"


def test_pictures_are_encoded_by_the_command(pictures: Path, tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["x"], "file": ["a.png"]}).write_csv(tmp_path / "files.csv")
    given = ("--pictures", pictures, "--picture-table", tmp_path / "files.csv", "--workers", 0)
    prism_rec("embed", *given, "--encoder", "picture-descriptors", "--out", tmp_path / "v")
    assert load_embedding(tmp_path / "v")[1] == ["x"]


def test_the_python_function_gives_what_the_command_gives(items: Path, tmp_path: Path) -> None:
    prism_rec(*("embed", "--items", items, "--encoder", "hashed-text"), "--out", tmp_path / "command")
    embed(Embed(items=items, encoder=HashedText()), tmp_path / "function")
    (by_command, ids), (by_function, other) = (
        load_embedding(tmp_path / name) for name in ("command", "function")
    )
    np.testing.assert_array_equal(by_command, by_function)
    assert ids == other == ["a", "c"]


def test_the_manifest_has_what_vectors_depend_on_and_not_how_they_were_made(
    pictures: Path, tmp_path: Path
) -> None:
    engine = LocalEngine(workers=0, batch_size=3, device="cpu")
    embed(Embed(pictures=pictures, encoder=PictureDescriptors(), engine=engine), tmp_path / "v")
    manifest = require_folder(tmp_path / "v", "embed")
    assert manifest["config"] == {"fields": [], "encoder": {"kind": "picture-descriptors"}}
    assert manifest["portable"] is True


def test_a_name_that_is_not_a_kind_is_a_model(items: Path, tiny_clip: Path, tmp_path: Path) -> None:
    model = HuggingFace(model=str(tiny_clip), precision="float32")
    for given in (str(tiny_clip), {"kind": str(tiny_clip)}):
        assert Embed.parse({"items": items, "encoder": given}).encoder == HuggingFace(model=str(tiny_clip))
    words = ("embed", "--items", items, "--precision", "float32", "--out", tmp_path / "t", "--encoder")
    assert prism_rec(*words, tiny_clip).status == 0
    manifest = require_folder(tmp_path / "t", "embed")
    assert manifest["config"]["encoder"] == model.model_dump()
    assert "encoded before: 2" in prism_rec(*words, "hugging-face", "--model", tiny_clip).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either --items, for texts, or --pictures"),
        (("--items", "i", "--pictures", "p"), "give either --items, for texts, or --pictures"),
        (("--pictures", "p", "--fields", "title"), "--fields are columns of --items; give --items"),
        (("--items", "i", "--picture-table", "t"), "--picture-table names files in --pictures"),
        (
            ("--pictures", "p", "--encoder", "hashed-text"),
            "hashed-text encodes texts, not images; choose another --encoder",
        ),
        (
            ("--items", "i", "--encoder", "picture-descriptors"),
            "picture-descriptors encodes images, not texts; choose another --encoder",
        ),
        (
            ("--items", "i", "--encoder", "hashed-text", "--model", "m"),
            "--model belongs to --encoder hugging-face",
        ),
        (("--items", "i", "--engine", "ray", "--workers", "0"), "--workers: "),
        (("--items", "none.csv"), "none.csv: no such file; check the path"),
        (("--items", "none.csv", "--engine", "rya"), "--engine: there is no 'rya'; choose one of local, ray"),
    ],
)
def test_wrong_settings_are_one_line_in_words_of_options(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    ran = prism_rec("embed", "--out", tmp_path / "out", *words)
    assert ran.status == 2
    assert ran.err.startswith(f"error: {message}")
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_more_tokens_than_the_model_has_name_the_option(items: Path, tiny_clip: Path, tmp_path: Path) -> None:
    words = ("--encoder", tiny_clip, "--max-tokens", 99, "--quiet")
    ran = prism_rec("embed", "--items", items, *words, "--out", tmp_path / "out")
    assert ran.err.splitlines()[-1] == f"error: --max-tokens: 99 is more than the 12 of {tiny_clip}"


def test_earlier_work_is_refused_if_it_should_not_be_continued(items: Path, tmp_path: Path) -> None:
    words = ("embed", "--items", items, "--encoder", "hashed-text", "--no-resume", "--out", tmp_path / "out")
    assert prism_rec(*words).status == 0
    ran = prism_rec(*words)
    assert (ran.status, "has earlier work in it" in ran.err, "--resume" in ran.err) == (2, True, True)


@pytest.mark.slow
def test_a_run_with_nothing_new_needs_no_torch(items: Path, tmp_path: Path, tiny_clip: Path) -> None:
    words = ["embed", "--items", str(items), "--encoder", str(tiny_clip), "--out", str(tmp_path / "out")]
    assert prism_rec(*words).status == 0
    script = f"""
        import json, sys
        from prism_rec.cli.app import main
        sys.argv = ["prism-rec", *{words!r}]
        main()
        print(json.dumps(sorted({{"torch", "transformers"}} & set(sys.modules))))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    *told, loaded = run.stdout.splitlines()
    assert "encoded now: 0; encoded before: 2" in told
    assert "texts cut at 12 tokens: 0" in told
    assert json.loads(loaded) == []


def test_an_engine_that_cannot_run_here_is_refused_before_anything_is_read(
    items: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_rec.jobs.ray.find_spec", lambda name: None)
    settings = Embed.parse({"items": items, "encoder": "hashed-text", "engine": "ray"})
    with pytest.raises(InputError, match=r"engine: ray needs Ray: pip install 'prism-rec\[ray\]'"):
        embed(settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_placeholder_does_not_stop_the_search_and_both_ways_give_the_same_vectors(tmp_path: Path) -> None:
    from PIL import Image

    from prism_rec.stages.images import Images, images

    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("P", (1, 1)).save(photos / "none.gif")
    Image.new("RGB", (300, 300), "white").save(photos / "white.png")
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), np.uint8)
    Image.fromarray(noise).save(photos / "a.jpg")
    table = {"item_id": ["a", "b"], "images": [["none.gif", "white.png", "a.jpg"], ["none.gif", "white.png"]]}
    images(Images(local=photos), tmp_path / "i", sources=pl.DataFrame(table))
    found = pl.read_parquet(tmp_path / "i/pictures.parquet").select("item_id", "status", "reason", "url")
    assert found.rows() == [("a", "ok", None, "a.jpg"), ("b", "failed", "too-small", "none.gif")]
    engine = LocalEngine(workers=0)
    for name in ("photos", "i"):
        embed(
            Embed(pictures=tmp_path / name, encoder=PictureDescriptors(), engine=engine),
            tmp_path / f"v-{name}",
        )
    raw, ids = load_embedding(tmp_path / "v-photos")
    gathered, _ = load_embedding(tmp_path / "v-i")
    assert ids == ["a"]
    np.testing.assert_array_equal(raw, gathered)
    absent = pl.read_parquet(tmp_path / "v-photos/items.parquet")["absent"].to_list()
    assert absent == [None, "too small", "one colour"]
