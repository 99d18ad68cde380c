import os
from pathlib import Path

import numpy as np
import pytest

from prism_rec.errors import InputError
from prism_rec.evaluation.results import Evaluation


def small() -> Evaluation:
    random = np.random.default_rng(0)
    return Evaluation(np.arange(6), random.integers(1, 90, 6), random.integers(0, 90, (6, 5)))


def equal(first: Evaluation, second: Evaluation) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("users", "ranks", "top")
    )


def test_saved_and_loaded_is_equal(tmp_path):
    small().save(tmp_path / "test.npz")
    loaded = Evaluation.load(tmp_path / "test.npz")
    assert equal(loaded, small())
    assert {loaded.users.dtype, loaded.ranks.dtype, loaded.top.dtype} == {np.dtype(np.int64)}
    assert os.listdir(tmp_path) == ["test.npz"]


def test_equal_evaluations_make_equal_files(tmp_path):
    small().save(tmp_path / "a.npz")
    small().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "test.npz"
    small().save(path)

    def crash(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", crash)
    with pytest.raises(KeyboardInterrupt):
        Evaluation(np.arange(1), np.ones(1, dtype=np.int64), np.ones((1, 5), dtype=np.int64)).save(path)
    assert equal(Evaluation.load(path), small())


def test_every_cut_is_noticed(tmp_path):
    path = tmp_path / "test.npz"
    small().save(path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"test\.npz is damaged"):
            Evaluation.load(path)


def test_a_changed_byte_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "test.npz"
    small().save(path)
    whole = path.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert equal(Evaluation.load(path), small())
        except InputError:
            noticed += 1
    assert noticed > len(whole) / 6


def test_other_files_are_refused_in_one_line(tmp_path):
    path = tmp_path / "test.npz"
    refused: list[dict[str, np.ndarray]] = [
        {"users": np.arange(2)},
        {"users": np.arange(2), "ranks": np.ones(2), "top": np.ones((2, 5), dtype=np.int64)},
        {"users": np.arange(2), "ranks": np.zeros(2, dtype=np.int64), "top": np.ones((2, 5), dtype=np.int64)},
        {"users": np.arange(2), "ranks": np.array([{}, {}]), "top": np.ones((2, 5), dtype=np.int64)},
    ]
    for arrays in refused:
        np.savez(path, **arrays)
        with pytest.raises(InputError, match="holds no evaluation") as caught:
            Evaluation.load(path)
        assert "\n" not in str(caught.value)
    np.save(tmp_path / "one.npy", np.arange(3))
    with pytest.raises(InputError, match="holds no evaluation"):
        Evaluation.load(tmp_path / "one.npy")


class MakesFolderWhenUnpickled:
    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_nothing_in_a_file_is_executed(tmp_path):
    trap = np.array([MakesFolderWhenUnpickled(tmp_path / "made")], dtype=object)
    np.savez(tmp_path / "test.npz", users=trap, ranks=trap, top=trap)
    with pytest.raises(InputError, match="holds no evaluation"):
        Evaluation.load(tmp_path / "test.npz")
    assert not (tmp_path / "made").exists()


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"nowhere\.npz: No such file or directory; evaluate"):
        Evaluation.load(Path("nowhere.npz"))


@pytest.mark.parametrize(
    ("users", "ranks", "top"),
    [
        ([0, 1], [1], [[1], [2]]),
        ([0, 1], [1, 0], [[1], [2]]),
        ([0, 1], [1, 1], [[1], [-2]]),
        ([-1, 1], [1, 1], [[1], [2]]),
        ([0, 1], [1, 1], [1, 2]),
    ],
)
def test_rows_that_do_not_match_are_refused(users, ranks, top):
    with pytest.raises((ValueError, TypeError)):  # TypeError where the shapes of the fields are checked
        Evaluation(np.array(users), np.array(ranks), np.array(top))
