"""The log: every entry has the same headings, and the index is current."""

import re
import runpy
from pathlib import Path

import pytest

LOG = Path(__file__).parent.parent / "log"
MAKER = runpy.run_path(str(LOG / "make_index.py"))


def test_the_index_is_current() -> None:
    assert (LOG / "README.md").read_text(encoding="utf-8") == MAKER["index"](), "run python log/make_index.py"


@pytest.mark.parametrize("path", MAKER["entries"](), ids=lambda path: path.stem)
def test_an_entry_has_the_headings_in_their_order(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert tuple(found) == MAKER["HEADINGS"]
    for name in [part.split(")")[0] for line in lines for part in line.split("](")[1:]]:
        assert (LOG / name).is_file()


@pytest.mark.parametrize("page", ["results.md", "performance.md"])
def test_a_page_of_numbers_names_entries_that_exist(page: str) -> None:
    text = (LOG.parent / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"\b\d\d-[a-z][a-z0-9-]+", text)
    assert named
    assert set(named) <= {path.stem.removeprefix(path.stem[:11]) for path in MAKER["entries"]()}
