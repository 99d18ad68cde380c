import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import polars as pl
import pytest
from PIL import Image
from safetensors.numpy import load_file

from prism_rec.cli.embed import embed as command
from prism_rec.errors import InputError
from prism_rec.features.contents import Content, Contents, pictures_of, texts_of
from prism_rec.features.embed import embed, load_embedding
from prism_rec.features.encoders.encoder import Encoded
from prism_rec.features.encoders.find import find_encoder
from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder
from prism_rec.features.engines.local import LocalEngine
from prism_rec.folders import finish_folder


class LengthEncoder:
    """Encodes a text by its letters, and remembers what it was asked."""

    encodes = "text"

    def __init__(self, fingerprint="length 1"):
        self.fingerprint = fingerprint
        self.asked = []

    def encode(self, batch):
        self.asked += batch
        vectors = np.zeros((len(batch), 2), np.float32)
        angles = np.array([sum(map(ord, text)) for text in batch], dtype=np.float32)
        vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
        return Encoded(vectors, np.array([len(text) > 5 for text in batch]), 5)


def items(**columns):
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({"item_id": [f"i{row}" for row in range(rows)], **columns})


def draw(folder, **colours):
    folder.mkdir(exist_ok=True)
    for name, colour in colours.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")


# contents


def test_fields_are_joined_in_the_order_asked():
    frame = items(
        title=["Red  lamp", None, "\n"],
        price=[3, 4, None],
        categories=[["Home", "Lamps"], [], [None, ""]],
    )
    contents = texts_of(frame, ["categories", "title", "price"])
    assert [entry.value for entry in contents.entries] == ["Home > Lamps Red lamp 3", "4", None]
    assert [entry.absent for entry in contents.entries] == [None, None, "no text"]


@pytest.mark.parametrize(
    ("frame", "fields", "message"),
    [
        (items(title=["a"]), ["name"], "no column 'name'; choose from item_id, title"),
        (items(title=["a"]), [], "no fields"),
        (pl.DataFrame({"title": ["a"]}), ["title"], "no column 'item_id'"),
        (pl.DataFrame({"item_id": ["a", "a"], "title": ["x", "y"]}), ["title"], "row 2 repeats the id 'a'"),
        (pl.DataFrame({"item_id": ["a", None], "title": ["x", "y"]}), ["title"], "row 2: no item_id"),
    ],
)
def test_bad_item_tables_are_refused(frame, fields, message):
    with pytest.raises(InputError, match=message):
        texts_of(frame, fields)


def test_pictures_by_name_by_table_and_from_the_images_stage(tmp_path):
    folder = tmp_path / "p"
    draw(folder, a="red", b="blue")
    assert [entry.item_id for entry in pictures_of(folder).entries] == ["a", "b"]
    table = pl.DataFrame({"item_id": ["x", "y", "z"], "file": ["b.png", "none.png", None]})
    entries = pictures_of(folder, table).entries
    assert [entry.value for entry in entries] == [folder / "b.png", None, None]
    gathered = {
        "item_id": ["m", "n"],
        "status": ["ok", "failed"],
        "reason": [None, "http-404"],
        "file": ["a.png", None],
        "sha256": ["00", None],
    }
    pl.DataFrame(gathered).write_parquet(folder / "pictures.parquet")
    with pytest.raises(InputError, match="never finished"):
        pictures_of(folder)
    (folder / "pictures.parquet").rename(tmp_path / "later.parquet")
    (folder / "journal.jsonl").touch()
    with pytest.raises(InputError, match="never finished; run images again"):
        pictures_of(folder)
    (tmp_path / "later.parquet").rename(folder / "pictures.parquet")
    finish_folder(folder, "images", {"size": 224}, ["pictures.parquet"])
    entries = pictures_of(folder).entries
    assert [(entry.value, entry.absent) for entry in entries] == [
        (folder / "a.png", None),
        (None, "no picture (http-404)"),
    ]


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hostname"])
def test_a_table_cannot_name_files_outside(tmp_path, file):
    (tmp_path / "p").mkdir()
    with pytest.raises(InputError, match="outside of the folder"):
        pictures_of(tmp_path / "p", pl.DataFrame({"item_id": ["x"], "file": [file]}))


def test_picture_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        pictures_of(tmp_path / "none")
    with pytest.raises(InputError, match="no pictures"):
        pictures_of(tmp_path)


# the stage


def test_vectors_are_those_of_their_items_and_absent_items_have_none(tmp_path):
    encoder = LengthEncoder()
    summary = embed(
        texts_of(items(title=["one", None, "longer text", "one", ""]), ["title"]), encoder, tmp_path
    )
    vectors, ids = load_embedding(tmp_path)
    assert ids == ["i0", "i2", "i3"]
    np.testing.assert_array_equal(vectors, LengthEncoder().encode(["one", "longer text", "one"]).vectors)
    assert encoder.asked == ["one", "longer text"]
    assert (summary.items, summary.present, summary.absent) == (5, 3, {"no text": 2})
    assert (summary.encoded, summary.truncated, summary.token_limit, summary.width) == (2, 1, 5, 2)


def test_only_new_contents_are_encoded_again(tmp_path):
    embed(texts_of(items(title=["a", "b"]), ["title"]), LengthEncoder(), tmp_path)
    encoder = LengthEncoder()
    summary = embed(texts_of(items(title=["b", "c", "longest"]), ["title"]), encoder, tmp_path)
    assert encoder.asked == ["c", "longest"]
    assert (summary.encoded, summary.reused, summary.truncated) == (2, 1, 1)
    again = embed(texts_of(items(title=["b", "c", "longest"]), ["title"]), encoder, tmp_path)
    assert (again.encoded, again.reused, again.truncated, again.token_limit) == (0, 3, 1, 5)
    assert encoder.asked == ["c", "longest"]
    vectors, _ = load_embedding(tmp_path)
    np.testing.assert_array_equal(vectors, LengthEncoder().encode(["b", "c", "longest"]).vectors)


def test_another_encoder_replaces_the_vectors(tmp_path):
    contents = texts_of(items(title=["a", "b"]), ["title"])
    embed(contents, LengthEncoder(), tmp_path)
    old = set(tmp_path.glob("*.safetensors"))
    encoder = LengthEncoder("length 2")
    embed(contents, encoder, tmp_path)
    assert encoder.asked == ["a", "b"]
    assert not old & set(tmp_path.glob("*.safetensors"))


def test_a_damaged_shard_is_made_anew(tmp_path):
    contents = texts_of(items(title=["a", "b", "c"]), ["title"])
    embed(contents, LengthEncoder(), tmp_path, part_size=1)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) == 3
    shards[0].write_bytes(shards[0].read_bytes()[:-1])
    with pytest.raises(InputError, match="missing or cut short"):
        load_embedding(tmp_path)
    encoder = LengthEncoder()
    assert embed(contents, encoder, tmp_path).encoded == 1
    assert len(encoder.asked) == 1
    np.testing.assert_array_equal(
        load_embedding(tmp_path)[0], LengthEncoder().encode(["a", "b", "c"]).vectors
    )


def test_part_size_changes_nothing(tmp_path):
    contents = texts_of(items(title=[f"text {row}" for row in range(10)]), ["title"])
    for size in (1, 3, 100):
        embed(contents, LengthEncoder(), tmp_path / str(size), part_size=size)
    together = load_embedding(tmp_path / "100")
    for size in ("1", "3"):
        np.testing.assert_array_equal(load_embedding(tmp_path / size)[0], together[0])


def test_hashed_text_learns_anew_when_a_text_changes(tmp_path):
    frame = items(title=["red lamp", "red sofa", "green lamp", "!!!"])
    contents = texts_of(frame, ["title"])
    summary = embed(contents, HashedTextEncoder(width=8), tmp_path)
    assert summary.absent == {"nothing to encode": 1}
    np.testing.assert_allclose(
        load_embedding(tmp_path)[0], HashedTextEncoder(width=8)(frame["title"].to_list())[:3], atol=1e-6
    )
    more = texts_of(items(title=["red lamp", "red sofa", "green lamp", "blue sofa"]), ["title"])
    assert embed(more, HashedTextEncoder(width=8), tmp_path).encoded == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_are_encoded_and_unreadable_ones_are_absent(tmp_path, workers):
    folder, out = tmp_path / "p", tmp_path / "out"
    draw(folder, a="red", c="blue", d="green", e="red")
    (folder / "b.png").write_text("<html>")
    contents = pictures_of(folder)
    encoder = PictureDescriptorEncoder()
    summary = embed(contents, encoder, out, engine=LocalEngine(workers), part_size=2)
    vectors, ids = load_embedding(out)
    assert ids == ["a", "c", "d", "e"]
    assert summary.absent == {"unreadable (UnidentifiedImageError)": 1}
    assert (summary.encoded, summary.width) == (3, 936)  # a and e are one picture
    expected = [
        encoder.prepare(Image.new("RGB", (40, 30), colour)) for colour in ("red", "blue", "green", "red")
    ]
    np.testing.assert_allclose(vectors, encoder.encode(expected).vectors, atol=1e-6)
    again = embed(contents, encoder, out)
    assert (again.encoded, again.reused, again.present) == (0, 3, 4)


def test_clip_end_to_end_for_texts_and_pictures(tmp_path, tiny_clip):
    draw(tmp_path / "p", a="red", b="blue")
    pictures, texts = (
        pictures_of(tmp_path / "p"),
        texts_of(items(title=["jazz", None, "space war"]), ["title"]),
    )
    for contents, expected in ((pictures, ["a", "b"]), (texts, ["i0", "i2"])):
        out = tmp_path / contents.modality
        embed(contents, find_encoder(str(tiny_clip), contents.modality), out, engine=LocalEngine(1))
        vectors, ids = load_embedding(out)
        assert ids == expected
        assert vectors.shape == (2, 8)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_to_encode_and_wrong_kinds_are_refused(tmp_path):
    texts = texts_of(items(title=["", None]), ["title"])
    with pytest.raises(InputError, match="no item has a text"):
        embed(texts, LengthEncoder(), tmp_path / "out")
    texts = texts_of(items(title=["a"]), ["title"])
    with pytest.raises(InputError, match="takes pictures, not texts"):
        embed(texts, PictureDescriptorEncoder(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for name, modality in (("hashed-text", "image"), ("picture-descriptors", "text")):
        with pytest.raises(InputError, match="choose another encoder"):
            find_encoder(name, modality)
    with pytest.raises(InputError, match="no such folder"):
        load_embedding(tmp_path / "out")


def test_nothing_that_can_be_encoded_is_told_with_the_reasons(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.png").write_text("<html>")
    with pytest.raises(InputError, match=r"no picture could be encoded \(unreadable .*: 1\)"):
        embed(pictures_of(tmp_path / "p"), PictureDescriptorEncoder(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    pictures = Contents("image", [Content("a", None, None, "no picture (http-404)")])
    with pytest.raises(InputError, match=r"no item has a picture to encode \(no picture \(http-404\): 1\)"):
        embed(pictures, PictureDescriptorEncoder(), tmp_path / "out")


def test_a_model_that_cannot_be_loaded_leaves_the_folder_as_it_was(tmp_path, tiny_clip):
    contents = texts_of(items(title=["a", "b"]), ["title"])
    embed(contents, LengthEncoder(), tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for out in (tmp_path / "out", tmp_path / "new"):
        with pytest.raises(InputError, match="max_tokens 99 is more than the 12"):
            embed(contents, find_encoder(str(tiny_clip), "text", max_tokens=99), out)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_a_folder_of_another_stage_is_refused_before_anything_is_encoded(tmp_path):
    (tmp_path / "manifest.json").write_text('{"stage": "prepare", "files": {}}')
    encoder = LengthEncoder()
    with pytest.raises(InputError, match="another stage's output"):
        embed(texts_of(items(title=["a"]), ["title"]), encoder, tmp_path)
    assert encoder.asked == []


def test_vectors_that_are_no_numbers_are_never_kept(tmp_path):
    encoder = LengthEncoder()
    encoder.encode = lambda batch: Encoded(np.full((len(batch), 2), np.nan, np.float32))
    with pytest.raises(InputError, match="NaN or infinity"):
        embed(texts_of(items(title=["a"]), ["title"]), encoder, tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_the_command_takes_texts_and_pictures(tmp_path, capsys):
    items(title=["lamp", None], brand=["Ikea", None]).write_csv(tmp_path / "items.csv")
    command(out=tmp_path / "t", items=tmp_path / "items.csv", fields="brand, title", encoder="hashed-text")
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 't'}:",
        "1 of 2 items have a vector of 256 numbers",
        "encoded now 1, there before 0",
        "absent, no text: 1",
    ]
    draw(tmp_path / "p", a="red")
    pl.DataFrame({"item_id": ["x"], "file": ["a.png"]}).write_csv(tmp_path / "files.csv")
    arguments = {"pictures": tmp_path / "p", "picture_table": tmp_path / "files.csv", "workers": 0}
    command(out=tmp_path / "v", encoder="picture-descriptors", **arguments)
    assert load_embedding(tmp_path / "v")[1] == ["x"]
    for sources in ({}, {"items": tmp_path / "items.csv", "pictures": tmp_path / "p"}):
        with pytest.raises(InputError, match="one of them"):
            command(out=tmp_path / "t", **sources)


KILLED = """
    import sys, time
    from pathlib import Path
    import polars as pl
    from prism_rec.features.contents import texts_of
    from prism_rec.features.embed import embed
    sys.path.insert(0, {tests!r})
    from test_embed import LengthEncoder, many_items

    class Slow(LengthEncoder):
        def encode(self, batch):
            time.sleep(0.05)
            return super().encode(batch)

    embed(texts_of(many_items(), ["title"]), Slow(), Path({out!r}), part_size=2)
"""


def many_items():
    return items(title=[f"text {row}" for row in range(200)])


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    out = tmp_path / "out"
    script = textwrap.dedent(KILLED).format(tests=os.path.dirname(__file__), out=str(out))
    run = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while len(list(out.glob("*.safetensors"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    with pytest.raises(InputError, match="never finished"):
        load_embedding(out)
    done = sum(len(load_file(shard)["keys"]) for shard in out.glob("*.safetensors"))
    assert 6 <= done < 200
    encoder = LengthEncoder()
    summary = embed(texts_of(many_items(), ["title"]), encoder, out)
    assert (len(encoder.asked), summary.reused) == (200 - done, done)
    vectors, ids = load_embedding(out)
    expected = LengthEncoder().encode(many_items()["title"].to_list()).vectors
    np.testing.assert_array_equal(vectors, expected)
    assert ids == many_items()["item_id"].to_list()


def test_a_run_with_nothing_new_needs_no_torch(tmp_path, tiny_clip):
    items(title=["jazz", "space war"]).write_csv(tmp_path / "items.csv")
    embed(
        texts_of(pl.read_csv(tmp_path / "items.csv"), ["title"]),
        find_encoder(str(tiny_clip), "text"),
        tmp_path / "out",
    )
    script = f"""
        import json, sys
        from pathlib import Path
        from prism_rec.cli.embed import embed
        embed(out=Path({str(tmp_path / "out")!r}), items=Path({str(tmp_path / "items.csv")!r}),
              encoder={str(tiny_clip)!r})
        print(json.dumps(sorted({{"torch", "transformers"}} & set(sys.modules))))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    *told, loaded = run.stdout.splitlines()
    assert "encoded now 0, there before 2" in told
    assert "texts cut at 12 tokens: 0" in told
    assert json.loads(loaded) == []
