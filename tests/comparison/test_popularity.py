from dataclasses import replace
from pathlib import Path

import numpy as np

from comparison.made_up import compare_ranks
from prism_rec.comparison.comparison import summarise
from prism_rec.comparison.findings import findings
from prism_rec.comparison.popularity import rank_by_popularity
from prism_rec.comparison.report.page import make_page
from prism_rec.comparison.result import load_result
from prism_rec.comparison.table import cell_rows, full_row, reach_cells, short_row
from prism_rec.data import Dataset
from prism_rec.evaluation.results import Evaluation

RANKS = "ranks-test.npz"


def test_it_leaves_what_a_cell_leaves(prepared: Path, tmp_path: Path) -> None:
    dataset = Dataset.load(prepared)
    result = rank_by_popularity("tiny", dataset, tmp_path / "popularity", "remove")
    assert load_result(tmp_path / "popularity") == result
    ranks = Evaluation.load(tmp_path / "popularity" / RANKS)
    questions, events = dataset.queries("test"), np.bincount(dataset.training().items, minlength=31)
    for history, target, rank in zip(questions.histories, questions.targets, ranks.ranks, strict=True):
        others = np.setdiff1d(np.arange(1, len(events)), [*history, target])
        ahead = (events[others] > events[target]) | ((events[others] == events[target]) & (others < target))
        assert rank == np.count_nonzero(ahead) + 1


def test_its_one_reading_meets_every_seed_of_a_model(prepared: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    made = compare_ranks({"id": random.integers(1, 9, (5, 40)).tolist()}, popularity=True)
    result = rank_by_popularity("films", Dataset.load(prepared), tmp_path / "popularity", "remove")
    ranks = np.broadcast_to(np.arange(1, 41), (5, 40))
    row = replace(made.arms[0], model="popularity", results=(result,), ranks_SQ=ranks)
    comparison = summarise(made.recipe, [made.arms[0], row], {"films": []})
    found = comparison.differences["films", "popularity", "recall@10"]
    assert found.seeds is not None
    assert found.estimate.mean == 0.25 - made.estimates["films", "id", "recall@10"].mean
    assert row.spread("recall@10") is None
    assert "±" not in short_row(comparison, row)["recall@10"]
    assert (full_row(comparison, row)["seeds"], short_row(comparison, row)["loss"]) == (1, "none")
    assert reach_cells(row.results) == {}
    by_popularity = [cell for cell in cell_rows(comparison) if cell["model"] == "popularity"]
    assert [cell["seed"] for cell in by_popularity if cell["metric"] == "recall@10"] == [0, 1, 2, 3, 4]
    assert {cell["value"] for cell in by_popularity if cell["metric"] == "recall@10"} == {0.25}
    assert "5 of 5 cells" in " ".join(findings(comparison))  # nothing was trained for the row
    assert "popularity" in " ".join(make_page(comparison, {}).itertext())
