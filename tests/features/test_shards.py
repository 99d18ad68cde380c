"""Shards are the cache of embedding: all that is complete and of the same encoder is found again, all else ignored."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from prism_rec.data.embedding_folder import read_vectors
from prism_rec.features.encoders.encoder import Encoded
from prism_rec.features.shards import Place, Shards
from prism_rec.folders import finish_folder


def keys(*contents: str) -> list[str]:
    return [hashlib.sha256(content.encode()).hexdigest() for content in contents]


@pytest.fixture
def written(tmp_path: Path) -> Shards:
    """Return two shards: a, an empty b, and c that was cut at 7 tokens."""
    shards = Shards(tmp_path, "length 1")
    shards.write(keys("a", "b"), Encoded(np.array([[0.6, 0.8], [0, 0]])))
    shards.write(keys("c"), Encoded(np.array([[1.0, 0.0]]), np.array([True]), token_limit=7))
    return shards


def test_every_vector_is_found_again_by_its_content(written: Shards, tmp_path: Path) -> None:
    again = Shards(tmp_path, "length 1")
    assert again.places == written.places
    assert (again.width, again.token_limit) == (2, 7)
    a, b, c = (again.places[key] for key in keys("a", "b", "c"))
    assert (a.file, a.row, a.present, a.truncated) == (b.file, 0, True, False)
    assert (b.row, b.present) == (1, False)
    assert c == Place(c.file, 0, present=True, truncated=True)
    vectors = read_vectors(tmp_path / a.file, np.array([1, 0]))
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[0, 0], [np.float32(0.6), np.float32(0.8)]]


def test_shards_of_another_encoder_are_ignored(written: Shards, tmp_path: Path) -> None:
    other = Shards(tmp_path, "length 2")
    assert (other.places, other.width, other.token_limit) == ({}, 0, None)
    other.write(keys("a"), Encoded(np.array([[1.0, 0.0, 0.0]])))
    assert Shards(tmp_path, "length 1").places == written.places


@pytest.mark.parametrize("kept", [0, 8, 100, -1])
def test_a_shard_that_is_cut_off_is_ignored_and_written_again(
    written: Shards, tmp_path: Path, kept: int
) -> None:
    place = written.places[keys("c")[0]]
    path = tmp_path / place.file
    path.write_bytes(path.read_bytes()[:kept])
    shards = Shards(tmp_path, "length 1")
    assert set(shards.places) == set(keys("a", "b"))
    shards.write(keys("c"), Encoded(np.array([[1.0, 0.0]]), np.array([True]), token_limit=7))
    again = Shards(tmp_path, "length 1")
    assert set(again.places) == set(written.places)
    c = again.places[keys("c")[0]]
    assert read_vectors(tmp_path / c.file, np.array([c.row])).tolist() == [[1, 0]]


def test_a_write_that_fails_leaves_no_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        Shards(tmp_path, "length 1").write(keys("a"), Encoded(np.array([[1.0]])))
    assert not list(tmp_path.glob("*.safetensors"))


def test_shards_that_nothing_needs_are_removed_and_files_of_others_are_not(
    written: Shards, tmp_path: Path
) -> None:
    place = written.places[keys("c")[0]]
    others = ["notes.txt", "vectors-0123456789abcdef.safetensors"]
    for name in others:
        (tmp_path / name).touch()
    finish_folder(tmp_path, "embed", {}, [place.file])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["manifest.json", place.file, *others])


def test_a_changed_shard_is_not_read(written: Shards, tmp_path: Path) -> None:
    path = tmp_path / written.places[keys("c")[0]].file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert keys("c")[0] not in Shards(tmp_path, "length 1").places
