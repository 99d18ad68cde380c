import csv
import json
import math
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from comparison.made_up import compare_ranks
from prism_rec.comparison.comparison import Difference, PValue, summarise
from prism_rec.comparison.findings import findings, is_shown, resolution
from prism_rec.comparison.recipe import POPULARITY
from prism_rec.comparison.table import (
    as_csv,
    as_latex,
    as_markdown,
    cell_rows,
    full_row,
    metrics_row,
    reach_cells,
    short_row,
)
from prism_rec.evaluation.intervals import Estimate, estimate
from prism_rec.evaluation.significance import permutation_test, t_test
from prism_rec.evaluation.slices import Slice, slice_by_history, slice_by_popularity

METRICS = ["ndcg@10", "recall@5"]


def draw(seeds: int, users: int, most: int, stream: int) -> list[list[int]]:
    return np.random.default_rng(stream).integers(1, most, (seeds, users)).tolist()


def test_means_are_over_users_of_means_over_seeds() -> None:
    comparison = compare_ranks({"id": [[1, 20, 20, 20], [1, 1, 20, 20]]}, metrics=["recall@10"])
    arm = comparison.arms[0]
    assert arm.values("recall@10").tolist() == [1, 0.5, 0, 0]
    assert arm.seed_means("recall@10").tolist() == [0.25, 0.5]
    assert comparison.estimates["films", "id", "recall@10"].mean == 0.375
    assert arm.spread("recall@10") == pytest.approx(0.25 / math.sqrt(2))
    assert comparison.estimates["films", "id", "ndcg@10"] == estimate(arm.values("ndcg@10"))
    assert comparison.differences == {}
    assert (arm.cost("training_seconds"), arm.cost("peak_memory_mb")) == (6.5, 100.5)


def test_one_seed_has_no_spread() -> None:
    assert compare_ranks({"id": [[1, 2]]}).arms[0].spread("recall@10") is None


def test_differences_are_paired_by_user_and_corrected_for_all_tests() -> None:
    ranks = {"id": draw(5, 60, 30, 0), "sum": draw(5, 60, 30, 1), "prism": draw(5, 60, 12, 2)}
    comparison = compare_ranks(ranks, metrics=METRICS)
    arms = {arm.model: arm for arm in comparison.arms}
    tests = [(model, metric) for model in ("sum", "prism") for metric in METRICS]
    assert [(model, metric) for _, model, metric in comparison.differences] == tests
    users = [permutation_test(arms[m].values(k), arms["id"].values(k)) for m, k in tests]
    seeds = [t_test(arms[m].seed_means(k), arms["id"].seed_means(k)) for m, k in tests]
    for number, (model, metric) in enumerate(tests):
        found = comparison.differences["films", model, metric]
        assert found.estimate == estimate(arms[model].values(metric) - arms["id"].values(metric))
        assert found.users.raw == users[number]
        assert found.seeds is not None
        assert found.seeds.raw == seeds[number]
    smallest = min(comparison.differences.values(), key=lambda found: found.users.raw)
    assert smallest.users.holm == pytest.approx(4 * smallest.users.raw)
    assert all(
        d.users.raw <= d.users.benjamini_hochberg <= d.users.holm for d in comparison.differences.values()
    )


def test_fewer_than_five_seeds_are_not_tested() -> None:
    comparison = compare_ranks({"id": draw(4, 9, 30, 0), "sum": draw(4, 9, 30, 1)})
    assert all(found.seeds is None for found in comparison.differences.values())


def test_the_reference_is_the_model_named() -> None:
    comparison = compare_ranks({"id": [[1]], "sum": [[2]]}, reference="sum")
    assert {model for _, model, _ in comparison.differences} == {"id"}


def test_a_model_may_be_tested_against_another_than_the_reference() -> None:
    ranks = {model: draw(2, 9, 30, seed) for seed, model in enumerate(("id", "sum", "prism"))}
    comparison = compare_ranks(ranks, metrics=["ndcg@10"], against={"prism": "sum"})
    found = {model: difference for (_, model, _), difference in comparison.differences.items()}
    assert {model: difference.reference for model, difference in found.items()} == {
        "sum": "id",
        "prism": "sum",
    }
    arms = {arm.model: arm for arm in comparison.arms}
    gap = arms["prism"].values("ndcg@10") - arms["sum"].values("ndcg@10")
    assert found["prism"].estimate.mean == pytest.approx(gap.mean())
    assert any("prism - sum =" in sentence for sentence in findings(comparison))
    rows = {arm.model: short_row(comparison, arm) for arm in comparison.arms}
    assert [rows[model]["against"] for model in ranks] == ["", "id", "sum"]
    assert rows["id"]["ndcg@10 difference"] == "reference"
    assert rows["prism"]["ndcg@10 difference"].startswith(f"{gap.mean():+.4f} (")


def test_slices_hold_their_users_and_empty_ones_are_left_out() -> None:
    comparison = compare_ranks({"id": [[1] * 5 + [50] * 5]}, metrics=["recall@10"])
    short, lacking = comparison.slices["films"]
    assert (short.name, lacking.name) == ("history:short", "missing:text")
    assert short.estimates["id"]["recall@10"].mean == 1
    assert (short.estimates["id"]["recall@10"].queries, lacking.estimates["id"]["recall@10"].queries) == (
        5,
        3,
    )


def test_equal_models_are_said_to_show_no_difference() -> None:
    ranks = draw(1, 100, 30, 0)
    comparison = compare_ranks({"id": ranks, "sum": ranks}, metrics=METRICS)
    assert not is_shown(comparison.differences["films", "sum", "ndcg@10"])
    told = " ".join(findings(comparison))
    assert "One seed is too few to test over seeds (5 are needed)" in told
    assert "Not all cells were made in the same way" not in told
    assert "no difference is shown" in told
    assert "no model is claimed to win" in told
    assert "more than chance" not in told


def test_a_clear_difference_is_shown_and_a_resolution_is_told() -> None:
    comparison = compare_ranks({"id": draw(5, 200, 60, 0), "sum": draw(5, 200, 6, 1)}, metrics=["recall@10"])
    assert is_shown(comparison.differences["films", "sum", "recall@10"])
    interval = comparison.differences["films", "sum", "recall@10"].estimate
    base = comparison.estimates["films", "id", "recall@10"].mean
    share = resolution(comparison, "films", "recall@10")
    assert share == pytest.approx((interval.high - interval.low) / 2 / base)
    told = findings(comparison)
    assert "more epochs might change the order" in told[0]
    assert "5 seeds" in told[1]
    assert "more than chance over users and seeds" in told[2]
    assert f"reaches {share:.0%} of id's recall@10 to either side" in told[3]


def test_models_with_different_losses_are_told_apart_from_models_alone() -> None:
    comparison = compare_ranks({"id": [[1, 2]], "sum": [[1, 2]], "stosa": [[1, 2]]})
    stosa = comparison.arms[2]
    config = {**stosa.results[0].config, "objective": {"kind": "stosa"}}
    changes = {"loss": "stosa", "config": config}
    stosa = replace(stosa, results=(stosa.results[0].model_copy(update=changes),))
    told = findings(replace(comparison, arms=[*comparison.arms[:2], stosa]))
    assert [("stosa against bce" in one) for one in told if " - id" in one] == [False, True]


def test_one_lucky_seed_is_no_difference_over_seeds() -> None:
    usual, lucky = [50] * 300, [1] * 300
    comparison = compare_ranks({"id": [usual] * 5, "sum": [lucky, *[usual] * 4]}, metrics=["recall@10"])
    assert not is_shown(comparison.differences["films", "sum", "recall@10"])
    assert "more than chance over users, but not over seeds" in " ".join(findings(comparison))


def test_models_below_popularity_are_named() -> None:
    ranks = {"id": [[30] * 9], "sum": [[2] * 9], POPULARITY: [[5] * 9]}
    comparison = compare_ranks(ranks, models={"id": {}, "sum": {}}, popularity=True, metrics=["recall@10"])
    assert "films, recall@10: below popularity (1.0000) are id." in findings(comparison)


def test_where_nothing_is_found_no_resolution_is_told() -> None:
    comparison = compare_ranks({"id": [[99, 99]], "sum": [[99, 99]]})
    assert resolution(comparison, "films", "recall@10") is None


def test_it_is_told_how_far_training_came() -> None:
    comparison = compare_ranks({"id": [[1, 2]] * 2, "sum": [[1, 2]] * 2})
    first, second = comparison.arms[0].results
    assert reach_cells([first, second]) == {
        "epochs": "4",
        "best epoch": "4",
        "stopped by": "epochs",
        "best in the end": "yes",
        "examples per epoch": "100%",
    }
    assert "4 of 4 cells still had patience when the epochs ended, and 4 were best" in findings(comparison)[0]
    assert "An epoch had" not in findings(comparison)[0]

    part = tuple(replace(record, share=0.25) for record in first.epochs)
    patient = first.model_copy(update={"stopped_by": "patience", "best_epoch": 3, "epochs": part[:3] * 2})
    cells = reach_cells([patient, second])
    assert (cells["epochs"], cells["best epoch"], cells["stopped by"]) == ("6, 4", "3, 4", "patience, epochs")
    assert (cells["best in the end"], cells["examples per epoch"]) == ("no, yes", "25%, 100%")
    arms = [replace(arm, results=(patient, patient)) for arm in comparison.arms]
    told = findings(replace(comparison, arms=tuple(arms)))[0]
    assert told == (
        "Each of the 4 cells trained until its patience ran out. An epoch had 25% of the training examples."
    )
    row = full_row(comparison, replace(arms[0], results=(patient, second)))
    assert (row["stopped_by_epochs"], row["was_improving"], row["share"]) == (1, 1, 0.625)


def test_csv_holds_every_number() -> None:
    comparison = compare_ranks({"id": draw(5, 30, 30, 0), "sum": draw(5, 30, 30, 1)}, metrics=METRICS)
    rows = [full_row(comparison, arm) for arm in comparison.arms]
    first, second = csv.DictReader(StringIO(as_csv(rows)))
    assert float(second["ndcg@10"]) == comparison.estimates["films", "sum", "ndcg@10"].mean
    assert float(second["ndcg@10 low"]) == comparison.estimates["films", "sum", "ndcg@10"].low
    assert float(second["ndcg@10 sd"]) == comparison.arms[1].spread("ndcg@10")
    found = comparison.differences["films", "sum", "recall@5"]
    assert float(second["recall@5 difference high"]) == found.estimate.high
    assert float(second["recall@5 p users holm"]) == found.users.holm
    assert found.seeds is not None
    assert float(second["recall@5 p seeds benjamini_hochberg"]) == found.seeds.benjamini_hochberg
    assert first["recall@5 difference"] == ""
    assert (second["loss"], second["negatives"], second["parameters"]) == ("bce", "1", "1234")
    assert json.dumps(rows)


def test_every_column_and_slice_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "evaluation.md").read_text(encoding="utf-8")
    comparison = compare_ranks({"id": draw(2, 30, 30, 0), "sum": draw(2, 30, 30, 1)}, metrics=METRICS)
    columns = [name for name in full_row(comparison, comparison.arms[0]) if "@" not in name]
    assert [name for name in (*columns, *cell_rows(comparison)[0]) if f"`{name}`" not in page] == []
    ones = np.ones(3, np.int64)
    slices = [*slice_by_history(ones), *slice_by_popularity(ones[:1], ones)]
    assert [part.name for part in slices if part.name.partition(":")[2] not in page] == []


def test_cells_have_one_row_per_seed_and_metric() -> None:
    comparison = compare_ranks({"id": draw(2, 30, 30, 0), "sum": draw(2, 30, 30, 1)})
    rows = cell_rows(comparison)
    assert len({(row["model"], row["seed"], row["metric"]) for row in rows}) == len(rows) == 2 * 2 * 12
    values = [row["value"] for row in rows if (row["model"], row["metric"]) == ("sum", "ndcg@10")]
    assert values == comparison.arms[1].seed_means("ndcg@10").tolist()


def test_markdown_has_a_row_a_model() -> None:
    comparison = compare_ranks({"id": draw(2, 30, 30, 0), "no_gate": draw(2, 30, 30, 1)}, metrics=METRICS)
    rows = [short_row(comparison, arm) for arm in comparison.arms]
    lines = as_markdown(rows, ["a note"]).splitlines()
    assert lines[-1] == "- a note"
    assert len({line.count("|") for line in lines[:4]}) == 1
    mean = comparison.estimates["films", "no_gate", "ndcg@10"].mean
    assert f"{mean:.4f} ± {comparison.arms[1].spread('ndcg@10'):.4f} (" in lines[3]
    assert "bce, 1 negative |" in lines[3]
    assert "2 seeds are too few to test over seeds" in findings(comparison)[1]


def test_latex_has_the_metrics_only_and_names_data_if_there_are_several() -> None:
    comparison = compare_ranks({"id": draw(2, 30, 30, 0), "no_gate": draw(2, 30, 30, 1)}, metrics=METRICS)
    latex = as_latex([metrics_row(comparison, arm) for arm in comparison.arms])
    assert latex.splitlines()[2] == rf"model & {' & '.join(METRICS)} \\"
    assert r"no\_gate" in latex
    two = replace(
        comparison, recipe=comparison.recipe.model_copy(update={"data": {"films": "a", "books": "b"}})
    )
    assert list(metrics_row(two, two.arms[0])) == ["data", "model", *METRICS]
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 2
    assert len({line.count("&") for line in [*body, latex.splitlines()[2]]}) == 1


LOW, HIGH = PValue(0.001, 0.002, 0.002), PValue(0.01, 0.2, 0.2)  # HIGH is below .05 only without correction


@pytest.mark.parametrize(
    ("users", "seeds", "ending"),
    [
        (LOW, LOW, "more than chance over users and seeds."),
        (LOW, None, "results with other seeds are not known."),
        (HIGH, LOW, "no difference is shown."),
        (LOW, HIGH, "more than chance over users, but not over seeds."),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_findings_rest_on_corrected_p_values(
    users: PValue, seeds: PValue | None, ending: str, sign: int
) -> None:
    made = compare_ranks({"id": draw(5, 30, 30, 0), "sum": draw(5, 30, 30, 1)}, metrics=["recall@10"])
    low, high = sorted((sign * 0.05, sign * 0.15))
    difference = Difference("id", Estimate(sign * 0.1, low, high, 30), users, seeds)
    made = replace(made, differences={("films", "sum", "recall@10"): difference})
    (told,) = [one for one in findings(made) if "sum - id" in one]
    assert told.endswith(ending)
    assert f"Holm p {users.holm:.2g}" in told
    assert (f"{seeds.holm:.2g} over seeds" in told) if seeds else ("over seeds" not in told)
    assert is_shown(difference) == (users is LOW and seeds is not HIGH)


@pytest.mark.parametrize("order", [("sum", "prism"), ("prism", "sum")])
def test_the_resolution_is_that_of_the_widest_interval(order: tuple[str, str]) -> None:
    made = compare_ranks({"id": draw(1, 30, 15, 0), **dict.fromkeys(order, draw(1, 30, 15, 1))})
    widths = {"sum": 0.02, "prism": 0.06}
    differences = {
        ("films", model, "recall@10"): Difference("id", Estimate(0.0, 0.0, widths[model], 30), LOW, None)
        for model in order
    }
    elsewhere = Difference("id", Estimate(0.0, 0.0, 0.9, 30), LOW, None)
    differences |= {("games", "sum", "recall@10"): elsewhere, ("films", "sum", "recall@20"): elsewhere}
    base = made.estimates["films", "id", "recall@10"].mean
    found = resolution(replace(made, differences=differences), "films", "recall@10")
    assert found == pytest.approx(0.03 / base)


def test_slices_are_those_of_the_models_on_the_same_data() -> None:
    films = compare_ranks({"id": [[1, 2, 30, 40]], "sum": [[30, 40, 1, 2]]}, metrics=["recall@10"])
    books = [replace(arm, data="books", ranks_SQ=np.full((1, 4), 99)) for arm in films.arms]
    recipe = films.recipe.model_copy(update={"data": {"films": Path("films"), "books": Path("books")}})
    half = Slice("half", "the first two", np.array([True, True, False, False]))
    for arms in ([*films.arms, *books], [*books, *films.arms]):
        made = summarise(recipe, arms, {"films": [half], "books": [half]})
        for data, expected in (("films", {"id": 1, "sum": 0}), ("books", {"id": 0, "sum": 0})):
            (part,) = made.slices[data]
            found = {model: values["recall@10"].mean for model, values in part.estimates.items()}
            assert found == expected
