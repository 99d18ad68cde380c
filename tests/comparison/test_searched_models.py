from pathlib import Path

import pytest

from prism_rec.comparison.compare import compare
from prism_rec.comparison.findings import findings
from prism_rec.comparison.plan import plan, plan_searches
from prism_rec.comparison.recipe import Recipe
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.tuning.tune import TRIALS, read_best


@pytest.mark.slow
def test_cells_are_trained_with_what_their_searches_found(recipe: Recipe, tmp_path: Path) -> None:
    space = {"train.learning_rate": {"kind": "log_uniform", "low": 1e-4, "high": 1e-1}}
    base = {**recipe.base, "tune": {"trials": 2, "space": space}}
    recipe = recipe.model_copy(update={"base": base, "seeds": (3,), "jobs": 1})
    out = tmp_path / "out"
    comparison = compare(recipe, out, device="cpu")
    for search, cell, arm in zip(plan_searches(recipe, out), plan(recipe, out), comparison.arms, strict=True):
        found = read_best(search.folder)
        assert (search.name, cell.model) == (f"tiny/{arm.model}/search", arm.model)
        assert cell.config.train.learning_rate == found.train.learning_rate != 1e-3
        assert cell.config.train.seed == 3
        assert arm.results[0].config == {**cell.config.model_dump(mode="json"), "seen": "remove"}
        assert arm.results[0].search_trials == 2
    assert "chosen by validation in 2 trials" in " ".join(findings(comparison))

    kept = [*out.glob("cells/*/*/*/result.json"), *out.glob("searches/*/*/trials/*/log.jsonl")]
    written = {path: path.stat().st_mtime_ns for path in kept}
    assert len(written) == 2 + 4

    class Notes(Events):
        def note(self, line: str) -> None:
            lines.append(line)

    lines: list[str] = []
    compare(recipe, out, device="cpu", events=Notes())
    assert lines == [
        f"tiny/{model}/{what}: kept" for what in ("search", "seed-3") for model in ("prism", "id")
    ]
    assert {path: path.stat().st_mtime_ns for path in kept} == written


@pytest.mark.slow
def test_a_search_that_cannot_be_made_is_told(recipe: Recipe, tmp_path: Path) -> None:
    space = {"model.width": {"kind": "choice", "values": [7, 9]}}
    base = {**recipe.base, "tune": {"trials": 1, "space": space}}
    base["model"] = {**base["model"], "backbone": {"kind": "sasrec", "layers": 1, "heads": 2}}
    recipe = recipe.model_copy(update={"base": base, "models": {"id": {}}, "jobs": 1})
    with pytest.raises(InputError, match="1 of 1 searches failed, first tiny/id/search: .*not a multiple"):
        compare(recipe, tmp_path / "out", device="cpu")
    assert not list((tmp_path / "out").glob(f"searches/*/*/{TRIALS}"))
