"""Stage folders: never half written, never taken for another stage's."""

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from prism_rec.errors import DamagedError, FolderError
from prism_rec.folders import (
    MANIFEST,
    begin_folder,
    check_folder,
    finish_folder,
    is_finished,
    locked,
    replacing,
    require_folder,
    write_text_atomically,
)


def _finish(folder: Path) -> None:
    begin_folder(folder, "embed")
    (folder / "a").write_text("content")
    finish_folder(folder, "embed", {}, ["a"])


def test_an_error_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    with replacing(path) as partial:
        partial.write_text("new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_a_finished_folder_is_required(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.raises(FolderError, match="no such folder"):
        require_folder(folder, "embed")
    begin_folder(folder, "embed")
    with pytest.raises(FolderError, match="never finished"):
        require_folder(folder, "embed")
    _finish(folder)
    assert require_folder(folder, "embed")["files"]["a"]["bytes"] == 7
    assert is_finished(folder, "embed")
    assert not is_finished(folder, "prepare")
    with pytest.raises(FolderError, match="output of 'embed'"):
        require_folder(folder, "prepare")


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    _finish(tmp_path)
    (tmp_path / "a").write_text("cut")
    with pytest.raises(DamagedError, match="missing or cut short"):
        require_folder(tmp_path, "embed")
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(DamagedError, match="not readable JSON"):
        require_folder(tmp_path, "embed")
    assert not is_finished(tmp_path, "embed")


def test_a_folder_is_unfinished_as_soon_as_it_is_begun_again(tmp_path: Path) -> None:
    _finish(tmp_path)
    begin_folder(tmp_path, "embed")
    assert not is_finished(tmp_path, "embed")


def test_the_output_of_another_stage_is_refused(tmp_path: Path) -> None:
    _finish(tmp_path / "out")
    with pytest.raises(FolderError, match="another stage's output"):
        check_folder(tmp_path / "out", "prepare")
    assert is_finished(tmp_path / "out", "embed")
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="is a file"):
        check_folder(tmp_path / "file", "embed")


def _hold(folder: Path, held: Event) -> None:
    with locked(folder, wait=False):
        held.set()
        multiprocessing.Event().wait()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, held), daemon=True)
    process.start()
    assert held.wait(30)
    with pytest.raises(BlockingIOError), locked(tmp_path, wait=False):
        pass
    process.kill()
    process.join()
    with locked(tmp_path, wait=False):
        pass


def test_a_text_takes_the_place_of_the_old_one_as_a_whole(tmp_path: Path) -> None:
    """Whoever reads the old file goes on reading it; its link shows that it was not written to."""
    path, old = tmp_path / "file", tmp_path / "old"
    write_text_atomically(path, "old")
    old.hardlink_to(path)
    write_text_atomically(path, "newer")
    assert (path.read_text(), old.read_text()) == ("newer", "old")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "old"]
