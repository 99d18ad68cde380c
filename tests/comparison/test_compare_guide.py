"""The settings that docs/how-to/compare.md shows are settings."""

import re
from pathlib import Path

import yaml

from prism_rec.comparison.plan import plan, plan_searches
from prism_rec.comparison.recipe import Recipe
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
