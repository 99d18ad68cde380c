import csv
import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from prism_rec.cli.compare import compare
from prism_rec.compare import Recipe
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.evaluate.report import report
from prism_rec.evaluate.results import Evaluation

APP = typer.Typer()
APP.command()(compare)


def test_the_table_says_what_evaluate_says(recipe: Recipe, prepared: Path, tmp_path: Path) -> None:
    text = yaml.safe_dump(recipe.model_dump(mode="json", exclude={"data"}) | {"popularity": True})
    (tmp_path / "recipe.yaml").write_text(text)
    out = tmp_path / "out"
    words = [
        str(tmp_path / "recipe.yaml"),
        "--data",
        f"tiny={prepared}",
        "--out",
        str(out),
        "--device",
        "cpu",
    ]
    result = CliRunner().invoke(APP, words, env={"COLUMNS": "80"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines()[:-1])) <= 80

    rows = {row["model"]: row for row in csv.DictReader((out / "table.csv").read_text().splitlines())}
    assert list(rows) == ["id", "prism", "popularity"]
    for model, row in rows.items():
        cell = out / "cells" / "tiny" / model / ("" if model == "popularity" else "seed-0")
        evaluation = Evaluation.load(cell / "ranks-test.npz")
        expected = report(Dataset.load(prepared), "test", evaluation)
        for metric, interval in expected["intervals"].items():
            assert float(row[metric]) == expected["metrics"][metric] == pytest.approx(interval["mean"])
            assert (float(row[f"{metric} low"]), float(row[f"{metric} high"])) == (
                interval["low"],
                interval["high"],
            )
        assert f"{expected['metrics']['recall@10']:.4f}" in result.stdout
        assert f"{expected['metrics']['recall@10']:.4f}" in (out / "report.html").read_text()
    results = json.loads((out / "results.json").read_text())
    assert [cell["model"] for cell in results["cells"]] == ["id", "prism", "popularity"]
    assert rows["popularity"]["ndcg@10 difference"]
    assert "| tiny | popularity | none |" in (out / "table.md").read_text()
    assert all(sentence[:30] in result.stdout for sentence in results["findings"])


def test_a_recipe_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        CliRunner().invoke(
            APP, [str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")], catch_exceptions=False
        )
