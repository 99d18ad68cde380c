import csv
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from comparison.made_up import compare_ranks
from prism_rec.cli.app import run
from prism_rec.cli.compare import _show
from prism_rec.comparison.compare import compare as make
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import load_result
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.evaluation.report import report
from prism_rec.evaluation.results import Evaluation


@pytest.mark.slow
def test_the_table_says_what_evaluate_says(
    recipe: Recipe,
    prepared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = yaml.safe_dump(recipe.model_dump(mode="json", exclude={"data"}) | {"popularity": True})
    (tmp_path / "recipe.yaml").write_text(text)
    out = tmp_path / "out"
    words = [
        "compare",
        str(tmp_path / "recipe.yaml"),
        "--data",
        f"tiny={prepared}",
        "--out",
        str(out),
        "--device",
        "cpu",
    ]
    run(words)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:-1])) <= 80

    rows = {row["model"]: row for row in csv.DictReader((out / "table.csv").read_text().splitlines())}
    assert list(rows) == ["id", "prism", "popularity"]
    for model, row in rows.items():
        cell = out / "cells" / "tiny" / model / ("" if model == "popularity" else "seed-0")
        evaluation = Evaluation.load(cell / "ranks-test.npz")
        expected = report(Dataset.load(prepared), "test", evaluation, "remove")
        for metric, interval in expected["intervals"].items():
            assert float(row[metric]) == expected["metrics"][metric] == pytest.approx(interval["mean"])
            assert (float(row[f"{metric} low"]), float(row[f"{metric} high"])) == (
                interval["low"],
                interval["high"],
            )
        assert f"{expected['metrics']['recall@10']:.4f}" in shown
        assert f"{expected['metrics']['recall@10']:.4f}" in (out / "report.html").read_text()
    results = json.loads((out / "results.json").read_text())
    assert [cell["model"] for cell in results["cells"]] == ["id", "prism", "popularity"]
    assert rows["popularity"]["ndcg@10 difference"]
    assert "| tiny | popularity | none |" in (out / "table.md").read_text()
    assert all(sentence[:30] in shown for sentence in results["findings"])
    run([*words, "--json", "--quiet"])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rows"][:2] == results["rows"][:2]  # popularity is timed again
    assert printed.err == ""


@pytest.mark.slow
def test_processes_that_finish_at_once_do_not_take_each_others_files(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_model = {"models": {"id": recipe.models["id"]}, "popularity": True}
    recipe, replace = recipe.model_copy(update=one_model), os.replace
    make(recipe, tmp_path, device="cpu")  # so that two that come later have the tables alone to write

    def replace_slowly(source: Path, target: Path) -> None:
        time.sleep(0.05)
        replace(source, target)

    def finish(_: int) -> None:
        make(recipe, tmp_path, device="cpu")

    monkeypatch.setattr(os, "replace", replace_slowly)
    monkeypatch.setattr("prism_rec.comparison.compare._run", lambda *_: None)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(finish, range(2)))  # raises what a thread raised
    assert not list(tmp_path.glob("*.partial"))
    assert load_result(tmp_path / "cells" / "tiny" / "popularity")


@pytest.mark.slow
def test_evaluating_a_cell_leaves_its_result_alone(recipe: Recipe, tmp_path: Path) -> None:
    make(recipe.model_copy(update={"models": {"id": recipe.models["id"]}}), tmp_path, device="cpu")
    cell = tmp_path / "cells" / "tiny" / "id" / "seed-0"
    before = {path: path.stat().st_mtime_ns for path in cell.iterdir()}
    run(["evaluate", str(cell), "--device", "cpu"])
    written = {path.name for path in cell.iterdir() if path.stat().st_mtime_ns != before.get(path)}
    assert written == {"evaluation-test.npz"}


def test_a_recipe_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        run(["compare", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")])


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_deviation_over_seeds_is_shown_if_there_are_two(
    seeds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _show(
        compare_ranks(
            {"id": [[1, 20], [2, 3]][:seeds], "sum": [[1, 1], [4, 50]][:seeds]}, metrics=["recall@10"]
        )
    )
    assert ("0.7500 ± 0.3536" in capsys.readouterr().out) == (seeds == 2)


def test_each_difference_names_what_it_is_to_if_a_recipe_says_against(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ranks = {"id": [[1, 9, 9]], "sum": [[1, 1, 9]], "prism": [[1, 1, 1]]}
    _show(compare_ranks(ranks, against={"prism": "sum"}))
    shown = capsys.readouterr().out
    assert "to id" in shown
    assert "to sum" in shown
    _show(compare_ranks(ranks))
    assert "to sum" not in capsys.readouterr().out


def test_ray_that_is_not_installed_is_named_by_its_option(
    recipe: Recipe, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_rec.jobs.ray.find_spec", lambda name: None)
    path, out = tmp_path / "recipe.yaml", tmp_path / "out"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json", exclude={"data"})))
    with pytest.raises(InputError, match=r"--engine: ray needs Ray: pip install 'prism-rec\[ray\]'"):
        run(["compare", str(path), "--data", f"t={prepared}", "--out", str(out), "--engine", "ray"])
