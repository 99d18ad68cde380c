import io
import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from features.drawn import plain
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.errors import InputError
from prism_rec.events import JsonLines
from prism_rec.features.contents import Content, Contents, pictures_of, texts_of
from prism_rec.features.embedding import embed_contents
from prism_rec.features.encoders.encoder import Encoded, Encoder
from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder
from prism_rec.features.encoders.settings import HuggingFace, PictureDescriptors
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.pictures import open_picture
from prism_rec.folders import require_folder
from prism_rec.records import write_record


class LengthEncoder(Encoder):
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
        plain("RGB", (40, 30), colour).save(folder / f"{name}.png")


def test_vectors_are_those_of_their_items_and_absent_items_have_none(tmp_path):
    encoder = LengthEncoder()
    summary = embed_contents(
        texts_of(items(title=["one", None, "longer text", "one", ""]), ["title"]), encoder, tmp_path
    )
    vectors, ids = load_embedding(tmp_path)
    assert ids == ["i0", "i2", "i3"]
    np.testing.assert_array_equal(vectors, LengthEncoder().encode(["one", "longer text", "one"]).vectors)
    assert encoder.asked == ["one", "longer text"]
    assert (summary.items, summary.present, summary.absent) == (5, 3, {"no text": 2})
    assert (summary.encoded, summary.truncated, summary.token_limit, summary.width) == (2, 1, 5, 2)


def test_a_folder_is_left_as_it_is_if_nothing_is_new(tmp_path):
    source, out = tmp_path / "items.csv", tmp_path / "out"
    source.write_text("a")

    def states(title: str) -> dict[str, int]:
        embed_contents(texts_of(items(title=[title]), ["title"]), LengthEncoder(), out, inputs=[source])
        return {file.name: file.stat().st_mtime_ns for file in out.iterdir()}

    before = states("a")
    assert states("a") == before
    source.write_text("b")
    other = states("a")
    assert other["manifest.json"] != before["manifest.json"]
    assert states("b")["items.parquet"] != other["items.parquet"]


def test_only_new_contents_are_encoded_again(tmp_path):
    embed_contents(texts_of(items(title=["a", "b"]), ["title"]), LengthEncoder(), tmp_path)
    encoder = LengthEncoder()
    summary = embed_contents(texts_of(items(title=["b", "c", "longest"]), ["title"]), encoder, tmp_path)
    assert encoder.asked == ["c", "longest"]
    assert (summary.encoded, summary.reused, summary.truncated) == (2, 1, 1)
    again = embed_contents(texts_of(items(title=["b", "c", "longest"]), ["title"]), encoder, tmp_path)
    assert (again.encoded, again.reused, again.truncated, again.token_limit) == (0, 3, 1, 5)
    assert encoder.asked == ["c", "longest"]
    vectors, _ = load_embedding(tmp_path)
    np.testing.assert_array_equal(vectors, LengthEncoder().encode(["b", "c", "longest"]).vectors)


def test_another_encoder_replaces_the_vectors(tmp_path):
    contents = texts_of(items(title=["a", "b"]), ["title"])
    embed_contents(contents, LengthEncoder(), tmp_path)
    old = set(tmp_path.glob("*.safetensors"))
    encoder, heard = LengthEncoder("length 2"), io.StringIO()
    embed_contents(contents, encoder, tmp_path, events=JsonLines(heard))
    assert encoder.asked == ["a", "b"]
    assert "vectors of another encoder, or of other texts, are replaced" in heard.getvalue()
    heard.truncate(0)
    embed_contents(contents, encoder, tmp_path, events=JsonLines(heard))
    assert "replaced" not in heard.getvalue()
    assert not old & set(tmp_path.glob("*.safetensors"))


def test_a_damaged_shard_is_made_anew(tmp_path):
    contents = texts_of(items(title=["a", "b", "c"]), ["title"])
    embed_contents(contents, LengthEncoder(), tmp_path, part_size=1)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) == 3
    shards[0].write_bytes(shards[0].read_bytes()[:-1])
    with pytest.raises(InputError, match="missing or cut short"):
        load_embedding(tmp_path)
    encoder = LengthEncoder()
    assert embed_contents(contents, encoder, tmp_path).encoded == 1
    assert len(encoder.asked) == 1
    np.testing.assert_array_equal(
        load_embedding(tmp_path)[0], LengthEncoder().encode(["a", "b", "c"]).vectors
    )


def test_the_manifest_says_whether_new_vectors_would_fit(tmp_path):
    contents = texts_of(items(title=["red lamp", "blue lamp"]), ["title"])
    for encoder, portable in ((LengthEncoder(), True), (HashedTextEncoder(width=4), False)):
        embed_contents(contents, encoder, tmp_path)
        assert require_folder(tmp_path, "embed")["portable"] is portable


def test_progress_is_heard_with_what_failed(tmp_path):
    draw(tmp_path / "p", a="red", b="blue")
    (tmp_path / "p/c.png").write_text("<html>")
    heard = io.StringIO()
    engine = LocalEngine(workers=0, batch_size=2)
    encoder = PictureDescriptors().build("image", engine)
    embed_contents(
        pictures_of(tmp_path / "p"),
        encoder,
        tmp_path / "out",
        engine=engine,
        part_size=2,
        events=JsonLines(heard),
    )
    events = [json.loads(line) for line in heard.getvalue().splitlines()]
    assert events[0] == {"event": "begin", "task": "pictures", "total": 3}
    assert sum(event["steps"] for event in events if event["event"] == "advance") == 3
    assert [event["facts"] for event in events if "facts" in event] == [{"failed": 1}]
    assert events[-1] == {"event": "end", "task": "pictures"}


def test_part_size_changes_nothing(tmp_path):
    contents = texts_of(items(title=[f"text {row}" for row in range(10)]), ["title"])
    for size in (1, 3, 100):
        embed_contents(contents, LengthEncoder(), tmp_path / str(size), part_size=size)
    together = load_embedding(tmp_path / "100")
    for size in ("1", "3"):
        np.testing.assert_array_equal(load_embedding(tmp_path / size)[0], together[0])


def test_hashed_text_learns_anew_when_a_text_changes(tmp_path):
    frame = items(title=["red lamp", "red sofa", "green lamp", "!!!"])
    contents = texts_of(frame, ["title"])
    summary = embed_contents(contents, HashedTextEncoder(width=8), tmp_path)
    assert summary.absent == {"nothing to encode": 1}
    np.testing.assert_allclose(
        load_embedding(tmp_path)[0],
        HashedTextEncoder(width=8).encode(frame["title"].to_list()).vectors[:3],
        atol=1e-6,
    )
    more = texts_of(items(title=["red lamp", "red sofa", "green lamp", "blue sofa"]), ["title"])
    assert embed_contents(more, HashedTextEncoder(width=8), tmp_path).encoded == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_are_encoded_and_unreadable_ones_are_absent(tmp_path, workers):
    folder, out = tmp_path / "p", tmp_path / "out"
    draw(folder, a="red", c="blue", d="green", e="red")
    (folder / "b.png").write_text("<html>")
    contents = pictures_of(folder)
    encoder = PictureDescriptorEncoder()
    summary = embed_contents(contents, encoder, out, engine=LocalEngine(workers=workers), part_size=2)
    vectors, ids = load_embedding(out)
    assert ids == ["a", "c", "d", "e"]
    assert summary.absent == {"not a picture": 1}
    assert (summary.encoded, summary.width) == (3, 936)  # a and e are one picture
    expected = [encoder.prepare(open_picture(folder / f"{name}.png")) for name in ids]
    np.testing.assert_allclose(vectors, encoder.encode(expected).vectors, atol=1e-6)
    again = embed_contents(contents, encoder, out)
    assert (again.encoded, again.reused, again.present) == (0, 3, 4)


@pytest.mark.slow
def test_clip_end_to_end_for_texts_and_pictures(tmp_path, tiny_clip):
    draw(tmp_path / "p", a="red", b="blue")
    pictures, texts = (
        pictures_of(tmp_path / "p"),
        texts_of(items(title=["jazz", None, "space war"]), ["title"]),
    )
    for contents, expected in ((pictures, ["a", "b"]), (texts, ["i0", "i2"])):
        out = tmp_path / contents.modality
        embed_contents(
            contents,
            HuggingFace(model=str(tiny_clip)).build(contents.modality),
            out,
            engine=LocalEngine(workers=1),
        )
        vectors, ids = load_embedding(out)
        assert ids == expected
        assert vectors.shape == (2, 8)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_to_encode_and_wrong_kinds_are_refused(tmp_path):
    texts = texts_of(items(title=["", None]), ["title"])
    with pytest.raises(InputError, match="no item has a text"):
        embed_contents(texts, LengthEncoder(), tmp_path / "out")
    texts = texts_of(items(title=["a"]), ["title"])
    with pytest.raises(InputError, match="takes pictures, not texts"):
        embed_contents(texts, PictureDescriptorEncoder(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no such folder"):
        load_embedding(tmp_path / "out")


def test_nothing_that_can_be_encoded_is_told_with_the_reasons(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.png").write_text("<html>")
    with pytest.raises(InputError, match=r"no picture could be encoded \(not a picture: 1\)"):
        embed_contents(pictures_of(tmp_path / "p"), PictureDescriptorEncoder(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    pictures = Contents("image", [Content("a", None, None, "no picture (http-404)")])
    with pytest.raises(InputError, match=r"no item has a picture to encode \(no picture \(http-404\): 1\)"):
        embed_contents(pictures, PictureDescriptorEncoder(), tmp_path / "out")


def test_a_model_that_cannot_be_loaded_leaves_the_folder_as_it_was(tmp_path, tiny_clip):
    contents = texts_of(items(title=["a", "b"]), ["title"])
    embed_contents(contents, LengthEncoder(), tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for out in (tmp_path / "out", tmp_path / "new"):
        with pytest.raises(InputError, match="max_tokens: 99 is more than the 12"):
            embed_contents(contents, HuggingFace(model=str(tiny_clip), max_tokens=99).build("text"), out)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_a_folder_of_another_stage_is_refused_before_anything_is_encoded(tmp_path):
    write_record(tmp_path / "manifest.json", {"stage": "prepare", "files": {}})
    encoder = LengthEncoder()
    with pytest.raises(InputError, match="another stage's output"):
        embed_contents(texts_of(items(title=["a"]), ["title"]), encoder, tmp_path)
    assert encoder.asked == []


def test_vectors_that_are_no_numbers_are_never_kept(tmp_path):
    encoder = LengthEncoder()
    encoder.encode = lambda batch: Encoded(np.full((len(batch), 2), np.nan, np.float32))
    with pytest.raises(InputError, match="NaN or infinity"):
        embed_contents(texts_of(items(title=["a"]), ["title"]), encoder, tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


KILLED = """
    import sys, time
    from pathlib import Path
    import polars as pl
    from prism_rec.features.contents import texts_of
    from prism_rec.features.embedding import embed_contents
    sys.path.insert(0, {tests!r})
    from features.test_embedding import LengthEncoder, many_items

    class Slow(LengthEncoder):
        def encode(self, batch):
            time.sleep(0.05)
            return super().encode(batch)

    embed_contents(texts_of(many_items(), ["title"]), Slow(), Path({out!r}), part_size=2)
"""


def many_items():
    return items(title=[f"text {row}" for row in range(200)])


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    out = tmp_path / "out"
    script = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parents[1]), out=str(out))
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
    summary = embed_contents(texts_of(many_items(), ["title"]), encoder, out)
    assert (len(encoder.asked), summary.reused) == (200 - done, done)
    vectors, ids = load_embedding(out)
    expected = LengthEncoder().encode(many_items()["title"].to_list()).vectors
    np.testing.assert_array_equal(vectors, expected)
    assert ids == many_items()["item_id"].to_list()
