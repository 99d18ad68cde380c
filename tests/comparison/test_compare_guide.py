"""The settings that docs/how-to/compare.md shows are settings, and its Python runs."""

import re
from pathlib import Path

import pytest
import yaml

from comparison.made_up import compare_ranks
from prism_rec.comparison.plan import plan, plan_searches
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.table import as_csv, cell_rows
from prism_rec.tuning.search import Search

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "compare.md"


def test_every_example_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    recipe, search, searched = (yaml.safe_load(block) for block in blocks)
    cells = plan(Recipe.parse({**recipe, "data": {"x": "x"}}, "first"), Path("out"))
    assert len(cells) == 10
    assert len(Search.parse(search, "second").tune.space) == 4
    searches = plan_searches(Recipe.parse({**searched, "data": {"x": "x"}}, "third"), Path("out"))
    assert [len(one.search.tune.space) for one in searches] == [1, 2]


def test_pandas_gets_one_row_per_data_model_and_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    comparison = compare_ranks({"id": [[1, 20], [2, 3]], "sum": [[1, 1], [4, 50]]})
    file = tmp_path / "runs" / "demo" / "comparison" / "cells.csv"
    file.parent.mkdir(parents=True)
    file.write_text(as_csv(cell_rows(comparison)))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(block, str(GUIDE), "exec"), names)
    rows = names["runs"].set_index(["model", "seed"])["recall@10"].to_dict()  # type: ignore[attr-defined]
    assert rows == {("id", 0): 0.5, ("id", 1): 1.0, ("sum", 0): 1.0, ("sum", 1): 0.5}
