"""The command `explain`."""

import json
import re
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
    recommender = load(folder, "cpu")
    run(
        [
            "explain",
            str(folder),
            "--history",
            "item-01,item-02",
            "--item",
            "item-05",
            "--json",
            "--device",
            "cpu",
        ]
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(recommender.explain(["item-01", "item-02"], "item-05").model_dump_json())
    run(["explain", str(folder), "--user", "u3", "--item", "item-05", "--json", "--device", "cpu"])
    printed = json.loads(capsys.readouterr().out)
    assert [past["item_id"] for past in printed["history"]] == recommender.history_of("u3")


def test_a_person_reads_the_sentence_parts_and_effects(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["explain", str(folder), "--history", "item-01,gone,item-02", "--item", "item-05"])
    shown = capsys.readouterr().out
    found = load(folder, "cpu").explain(["item-01", "item-02"], "item-05")
    assert found.sentence.split(":")[0] in shown
    assert f"{found.contributions['redundancy']:.3f}" in shown
    assert "Title item-02 [item-02]" in shown
    assert "any image" in shown
    assert "note: 1 items of the history are unknown, first 'gone'" in shown
    run(["explain", str(folder), "--history", "item-01", "--item", "item-05", "--quiet"])
    shown = capsys.readouterr().out
    assert "note" not in shown
    assert re.search(r"item-01\] +the only one", shown)
    assert re.search(r"id +-?\d+\.\d+ +- +-\s", shown)  # it is not weighed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--item", "item-05"], "give either --user or --history"),
        (["--item", "nothing", "--history", "item-01"], "item 'nothing' is unknown"),
        (["--item", "item-05", "--history", "x,y"], "no item of the history is known"),
        (["--item", "item-05", "--user", "nobody"], "user 'nobody' is unknown"),
    ],
)
def test_mistakes_are_reported_in_one_line(folder: Path, words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run(["explain", str(folder), *words])
    assert "\n" not in str(caught.value)
