import json
from dataclasses import replace
from pathlib import Path

import pytest

from prism_rec.errors import DataError, FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.folders import begin_folder, finish_folder
from prism_rec.records import write_record
from prism_rec.stages.chain import Step, run_chain


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


class Chain:
    """Two steps: the first copies a file, the second copies the copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = {"first": 1, "second": 1}
        self.replace = False
        (folder / "raw.txt").write_text("raw")

    def step(self, name: str, source: Path, check: bool = False) -> Step:
        out = self.folder / name

        def run() -> None:
            begin_folder(out, name, ["copy.txt"])
            (out / "copy.txt").write_text(source.read_text())
            finish_folder(out, name, {}, ["copy.txt"])

        def refuse() -> None:
            raise SettingsError(f"{name} cannot be done")

        return Step(
            name, out, name, {"x": self.settings[name]}, (source,), run, refuse if check else lambda: None
        )

    def run(self, refuse_second: bool = False) -> list[str]:
        """Run the chain; return the names of the steps that were done."""
        return [name for name, what in self.told(refuse_second).items() if what != "done before"]

    def told(self, refuse_second: bool = False) -> dict[str, str]:
        """Run the chain; return what its note says of each step."""
        notes = Notes()
        first = self.step("first", self.folder / "raw.txt")
        second = self.step("second", self.folder / "first/copy.txt", refuse_second)
        run_chain([first, second], self.folder, notes, self.replace)
        told = dict(line.split(": ", 1) for line in notes.lines)
        assert list(told) == ["first", "second"]
        return told


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def test_steps_are_done_once(chain: Chain) -> None:
    assert chain.run() == ["first", "second"]
    assert chain.run() == []
    assert (chain.folder / "second/copy.txt").read_text() == "raw"


def test_a_step_is_done_again_if_something_that_it_depends_on_changed(chain: Chain) -> None:
    chain.run()
    chain.settings["second"] = 2
    with pytest.raises(
        FolderError, match=r"second was made with other settings \(x\); name another folder, or"
    ):
        chain.run()
    chain.replace = True
    assert chain.run() == ["second"]
    chain.replace = False
    (chain.folder / "raw.txt").write_text("new")
    assert chain.run() == ["first", "second"]
    (chain.folder / "second/copy.txt").unlink()
    assert chain.run() == ["second"]
    (chain.folder / "raw.txt").touch()
    assert chain.run() == [], "a new modification time alone is not a change"
    change_record(chain.folder / "steps.json", prism_rec="0.0.0")
    assert chain.run() == ["first"], "another version of prism-rec; its output is the same"


def test_a_replaced_step_says_why(chain: Chain) -> None:
    first = f"{chain.folder / 'first'} is replaced: "
    assert chain.told() == {"first": str(chain.folder / "first"), "second": str(chain.folder / "second")}
    chain.settings["first"] = 2
    chain.replace = True
    assert chain.told() == {"first": first + "other settings (x)", "second": "done before"}
    (chain.folder / "raw.txt").write_text("new")
    assert chain.told()["first"] == first + "other input files (raw.txt)"
    change_record(chain.folder / "steps.json", prism_rec="0.0.0")
    assert chain.told()["first"] == first + "another version of prism-rec made it"
    (chain.folder / "steps.json").unlink()
    assert chain.told()["first"] == first + "there is no record of how it was made"


def test_mistakes_of_late_steps_are_found_before_the_first(chain: Chain) -> None:
    with pytest.raises(SettingsError, match="second cannot be done"):
        chain.run(refuse_second=True)
    assert not (chain.folder / "first").exists()
    chain.run()
    assert chain.run(refuse_second=True) == [], "a finished step is not checked"


def test_a_step_that_was_killed_after_it_finished_is_done_again_with_the_same_settings(chain: Chain) -> None:
    chain.run()
    change_record(chain.folder / "steps.json", begun=True)
    assert chain.run() == ["first"]


def change_record(path: Path, **facts: object) -> None:
    """Write the record of the first step with other facts."""
    record = json.loads(path.read_text())
    record["first"].update(facts)
    write_record(path, record)


def test_a_record_that_was_changed_by_hand_is_not_believed(chain: Chain) -> None:
    chain.run()
    path = chain.folder / "steps.json"
    path.write_text(path.read_text().replace('"x": 1', '"x": 2'))
    chain.settings["second"] = 2
    with pytest.raises(
        FolderError, match=r"first was made with settings that steps\.json does not have; name"
    ):
        chain.run()
    chain.replace = True
    assert chain.run() == ["first", "second"]


def test_a_missing_input_is_named(chain: Chain) -> None:
    (chain.folder / "raw.txt").unlink()
    with pytest.raises(DataError, match=r"raw\.txt: no such file; check the path"):
        chain.run()


def test_a_step_that_fails_after_its_folder_was_finished_is_done_again(chain: Chain) -> None:
    """As prepare does if the disk is full when it writes the card."""
    whole = chain.step("first", chain.folder / "raw.txt")

    def fail() -> None:
        whole.run()
        raise SettingsError("the card cannot be written")

    with pytest.raises(SettingsError, match="card"):
        run_chain([replace(whole, run=fail)], chain.folder)
    assert chain.run() == ["first", "second"]
