"""Stage folders: never half written, never taken for another stage's."""

import errno
import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from prism_rec.errors import BusyError, DamagedError, FolderError
from prism_rec.files import locked, replacing, write_text_atomically
from prism_rec.folders import (
    begin_folder,
    check_folder,
    check_listed,
    finish_folder,
    is_finished,
    remove_claimed,
    remove_folder,
    require_folder,
    require_whole,
)
from prism_rec.machine import explain
from prism_rec.records import MANIFEST


def _finish(folder: Path) -> None:
    begin_folder(folder, "embed", ["a"])
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
    with pytest.raises(BusyError, match="another process works in"), locked(tmp_path, wait=False):
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


def test_an_input_is_not_an_output(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    log = tmp_path / "data" / "log.csv"
    log.touch()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for out in (tmp_path / "data", tmp_path / "link", tmp_path / "data" / ".." / "data"):
        with pytest.raises(FolderError, match=r"has the input .*log.csv; name another folder"):
            check_folder(out, "prepare", [log])
        with pytest.raises(FolderError, match=r"is the input"):
            check_folder(out, "prepare", [tmp_path / "data"])
    check_folder(tmp_path / "new", "prepare", [log])


def test_a_folder_with_files_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(FolderError, match=r"has thesis.txt, and embed was not begun there"):
        begin_folder(tmp_path, "embed")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_only_names_that_the_stage_wrote_are_replaced_or_deleted(tmp_path: Path) -> None:
    _finish(tmp_path)
    (tmp_path / "mine").write_text("precious")
    begin_folder(tmp_path, "embed", ["b"])
    with pytest.raises(FolderError, match="mine was not written by embed; move it"):
        begin_folder(tmp_path, "embed", ["mine"])
    (tmp_path / "b").touch()
    finish_folder(tmp_path, "embed", {}, ["b"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", MANIFEST, "mine"]
    remove_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    precious.mkdir()
    (precious / "a").write_text("precious")
    begin_folder(out, "embed", ["sub/a"])
    (out / "sub").symlink_to(precious)
    with pytest.raises(FolderError, match="is a link or behind one"):
        begin_folder(out, "embed", ["sub/a"])
    remove_claimed(out)
    remove_folder(out)
    assert (precious / "a").read_text() == "precious"


def test_every_changed_byte_of_a_folder_is_noticed_and_the_stage_heals_it(tmp_path: Path) -> None:
    _finish(tmp_path)
    for name in ("a", MANIFEST):
        content = (tmp_path / name).read_bytes()
        for place in range(0, len(content), 7):
            changed = bytearray(content)
            changed[place] ^= 1
            (tmp_path / name).write_bytes(changed)
            assert not is_finished(tmp_path, "embed"), (name, place)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a").write_text("changed")
    with pytest.raises(DamagedError, match="a was changed after it was written; run embed again"):
        require_folder(tmp_path, "embed", "a")
    with pytest.raises(DamagedError, match="changed"):
        check_listed(tmp_path / "a")
    _finish(tmp_path)
    require_whole(tmp_path, "embed")


def test_a_folder_is_whole_only_if_the_folders_that_it_lists_are(tmp_path: Path) -> None:
    inner, outer = tmp_path / "out/data", tmp_path / "out"
    begin_folder(outer, "train", ["data"])
    begin_folder(inner, "prepare", ["a"])
    (inner / "a").write_text("a")
    finish_folder(inner, "prepare", {}, ["a"])
    finish_folder(outer, "train", {}, [f"data/{MANIFEST}"], kept=["data"])
    require_whole(outer, "train")
    (inner / "a").write_text("b")
    with pytest.raises(DamagedError, match="data/a was changed after it was written"):
        require_whole(outer, "train")


def test_a_thread_may_hold_a_folder_twice_and_an_empty_one_is_removed(tmp_path: Path) -> None:
    with locked(tmp_path / "out"), locked(tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["unfinished.json", "manifest.json", "steps.json"])
def test_a_part_of_the_first_record_does_not_stop_the_stage(tmp_path: Path, name: str) -> None:
    """A process was killed in the middle of the first write."""
    (tmp_path / f"{name}.partial").write_text("{")
    begin_folder(tmp_path, "embed")


def test_two_writers_of_a_file_do_not_share_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as partial:
        partial.write_text("first")
        with pytest.raises(BusyError, match="another process writes .*file; wait"), replacing(path):
            pass
    assert [file.read_text() for file in tmp_path.iterdir()] == ["first"]


def test_an_error_of_the_system_names_the_file(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "file"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="file") as error:
        fail()
    assert str(explain(error.value)).startswith(f"{tmp_path / 'file'}: no space is left there")


def test_a_link_to_nothing_is_refused_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FolderError, match="out is a link to a place that does not exist; make that folder"):
        check_folder(tmp_path / "out", "prepare")
