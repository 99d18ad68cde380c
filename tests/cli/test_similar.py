"""The command `similar`."""

import json
from pathlib import Path

import pytest

from prism_rec.cli.app import run
from prism_rec.errors import InputError
from prism_rec.recommend.recommender import load
from recommend.test_recommender import make_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run"
    make_run(path)
    return path


def test_the_document_is_what_python_returns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["similar", str(folder), "--item", "item-05", "--k", "3", "--json", "--device", "cpu"])
    printed = json.loads(capsys.readouterr().out)
    assert printed == load(folder, "cpu").similar_items("item-05", 3).to_dicts()
    assert [row["rank"] for row in printed] == [1, 2, 3]


def test_a_person_reads_titles_and_conditions_hold(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "some").write_text("item-01\nitem-02\ngone\n")
    words = ["--candidates", str(tmp_path / "some"), "--where", "title~-02", "--device", "cpu"]
    run(["similar", str(folder), "--item", "item-05", *words])
    captured = capsys.readouterr()
    assert "similar to Title item-05 [item-05]" in captured.out
    assert "Title item-02 [item-02]" in captured.out
    assert "item-01" not in captured.out
    assert "1 of 3 candidates are unknown" in captured.out + captured.err


def test_mistakes_are_reported_in_one_line(folder: Path) -> None:
    with pytest.raises(InputError, match="item 'nothing' is unknown"):
        run(["similar", str(folder), "--item", "nothing"])
    with pytest.raises(InputError, match="--k"):
        run(["similar", str(folder), "--item", "item-05", "--k", "0"])
