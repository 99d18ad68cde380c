import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

import numpy as np
import pytest

from comparison.made_up import GATE, compare_ranks
from prism_rec.comparison.comparison import Comparison
from prism_rec.comparison.findings import findings
from prism_rec.comparison.in_words import results_in_words
from prism_rec.comparison.report.charts import (
    Bar,
    Curve,
    Group,
    curve_chart,
    gate_chart,
    interval_chart,
    map_chart,
    sweep_chart,
)
from prism_rec.comparison.report.figures import curves, differences, gates, over_seeds, slices
from prism_rec.comparison.report.page import fold, make_page, read_style, write_report
from prism_rec.comparison.report.svg import PAGE_COLOURS, draw
from prism_rec.evaluation.intervals import Estimate
from prism_rec.explain.component_map import ComponentMap
from prism_rec.training import RunConfig


@pytest.fixture
def comparison() -> Comparison:
    random = np.random.default_rng(0)
    ranks = {model: random.integers(1, 40, (5, 100)).tolist() for model in ("id", "sum", "prism")}
    return compare_ranks(ranks, metrics=["ndcg@10", "recall@10"])


def text_of(page: Element) -> str:
    return " ".join(text for text in page.itertext())


@pytest.mark.slow
def test_the_page_needs_nothing_else(comparison: Comparison, tmp_path: Path) -> None:
    write_report(comparison, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert not re.search(r"""https?:|//|src=|href=(?!"#)|<script|<link|@import|url\((?!#)""", page)
    assert len(page.encode()) < 200_000


def test_the_page_says_every_finding_and_what_intervals_are(comparison: Comparison) -> None:
    text = text_of(make_page(comparison, {}))
    assert all(sentence in text for sentence in findings(comparison))
    assert "nothing about other seeds" in text
    for arm in comparison.arms:
        interval = comparison.estimates["films", arm.model, "ndcg@10"]
        assert f"{interval.mean:.4f}" in text
    found = comparison.differences["films", "prism", "ndcg@10"]
    assert f"{found.estimate.mean:+.4f} ({found.estimate.low:+.4f} to {found.estimate.high:+.4f})" in text
    assert found.seeds is not None
    assert {f"{found.users.holm:.2g}", f"{found.seeds.holm:.2g}"} <= set(text.split())


@pytest.mark.slow
def test_cells_that_were_made_in_several_ways_are_told(comparison: Comparison) -> None:
    text = text_of(make_page(comparison, {}))
    assert "prism-rec 0" in text
    assert "1 CPU thread per model" in text
    assert "Not all cells" not in text
    first, *others = comparison.arms[2].results
    other = first.model_copy(update={"version": "0.2", "device": "cuda", "threads": 4})
    arms = (*comparison.arms[:2], replace(comparison.arms[2], results=(*others, other)))
    page = make_page(replace(comparison, arms=arms), {})
    text = text_of(page)
    assert "prism-rec 0, 0.2" in text
    assert "1, 4 CPU threads per model" in text
    assert "differ in version (0, 0.2) and device (cpu, cuda) and threads (1, 4)" in text
    assert "cpu, cuda" in [cell.text for cell in page.iter("td")]


@pytest.mark.slow
def test_every_section_is_there_and_the_gate_only_where_there_is_one(comparison: Comparison) -> None:
    headings = [heading.text for heading in make_page(comparison, {}).iter("h2")]
    assert headings == [
        "What this shows",
        "Accuracy",
        "Differences from id",
        "How far training came",
        "Parts of the users",
        "What the gate attends to",
        "Cost",
        "How it was made",
    ]
    alone = compare_ranks({"id": [list(range(1, 101))]})
    headings = [heading.text for heading in make_page(alone, {}).iter("h2")]
    assert "Differences from id" not in headings
    assert "What the gate attends to" not in headings


def test_differences_stand_under_the_model_that_they_are_from() -> None:
    ranks = {
        model: [list(range(place, 30 + place))] for place, model in enumerate(("id", "sum", "prism"), start=1)
    }
    page = make_page(compare_ranks(ranks, metrics=["ndcg@10"], against={"prism": "sum"}), {})
    assert "Differences" in [heading.text for heading in page.iter("h2")]
    wide = [svg for svg in page.iter("svg") if svg.get("class") == "wide"]
    headings = [text.text or "" for svg in wide for text in svg.iter("text")]
    assert [heading for heading in headings if "minus" in heading] == [
        "ndcg@10 minus id's",
        "ndcg@10 minus sum's",
    ]


def test_popularity_is_drawn_among_the_differences_only_where_there_are_no_others() -> None:
    for models, drawn in ((("id", "sum"), ["sum"]), (("id",), ["popularity"])):
        ranks = {model: [list(range(1, 31))] for model in (*models, "popularity")}
        found = compare_ranks(ranks, models={model: {} for model in models}, popularity=True)
        labels = {text.text for text in differences(found, "films").iter("text")}
        assert [model for model in ranks if model in labels] == drawn


def test_a_curve_is_drawn_for_each_run_and_named_once_a_model() -> None:
    drawn = [Curve(model, number, [(1, 0.1), (2, 0.3)], 2) for number, model in enumerate("aab")]
    (axis,) = curve_chart(drawn, "epoch", "ndcg@10").axes
    assert [line.get_xydata().tolist() for line in axis.lines] == [[[1, 0.1], [2, 0.3]]] * 3
    assert [line.get_markevery() for line in axis.lines] == [[1]] * 3
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b"]


def test_many_curves_leave_room_for_themselves_beside_their_names() -> None:
    drawn = [Curve(f"model-{number}", number, [(1, 0.1), (2, 0.3)], 2) for number in range(40)]
    chart = curve_chart(drawn, "epoch", "ndcg@10")
    draw(chart, "title")  # lays it out
    assert chart.axes[0].get_position().height > 0.8


def test_a_long_name_is_shortened_in_its_middle_and_one_that_no_font_has_is_kept() -> None:
    name = f"{'W' * 40}-first"
    bars = [Bar(name, 0, Estimate(0.5, 0.4, 0.6, 9)), Bar("模型", 1, Estimate(0.5, 0.4, 0.6, 9))]
    chart = interval_chart([Group("x", bars)])
    labels = [part.text for part in draw(chart, "title").iter("text")]
    assert f"{'W' * 15}…{'W' * 8}-first" in labels
    assert "模型" in labels
    assert chart.axes[0].get_position().width > 0.2


def test_where_no_model_is_tested_the_page_says_so() -> None:
    ranks = {model: [list(range(1, 101))] for model in ("a", "b")}
    found = compare_ranks(ranks, reference="a", against={"b": "b"})
    assert "No model is tested against another." in text_of(make_page(found, {}))


def test_the_page_draws_every_run(comparison: Comparison) -> None:
    whole, fewer = (
        len([path for path in curves(arms)[0].iter("path") if "clip-path" in path.attrib])
        for arms in (comparison.arms, comparison.arms[:2])
    )
    assert whole - fewer == 5


def test_small_slices_are_named_and_not_drawn(comparison: Comparison) -> None:
    text = text_of(slices(comparison, "films"))
    assert "history:short (50 users: at most 3 items)" in text
    assert "Not drawn, with fewer than 20 users: missing:text (3)." in text


def test_bars_begin_at_zero_and_end_at_the_mean() -> None:
    bars = [Bar("a", 0, Estimate(0.5, 0.4, 0.6, 9)), Bar("b", 1, Estimate(0.25, 0.1, 0.3, 9))]
    (axis,) = interval_chart([Group("x", bars)]).axes
    assert [(bar.get_x(), bar.get_width()) for bar in axis.patches] == [(0, 0.5), (0, 0.25)]
    assert [line.get_xdata().tolist() for line in axis.lines] == [[0.4, 0.6], [0.1, 0.3]]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert axis.get_title(loc="left") == "x"
    assert [lines.get_gridlines()[0].get_visible() for lines in (axis.xaxis, axis.yaxis)] == [True, False]


def test_a_difference_has_a_dot_on_its_side_of_zero() -> None:
    bars = [Bar("a", 0, Estimate(-0.1, -0.2, 0.1, 9)), Bar("b", 1, Estimate(0.1, 0.05, 0.2, 9))]
    chart = interval_chart([Group("x", bars)], differences=True)
    dots = [line.get_xdata() for line in chart.axes[0].lines if line.get_marker() == "o"]
    assert dots == [[-0.1], [0.1]]
    assert "-0.1000  (-0.2000 to +0.1000)" in text_of(draw(chart, "title"))


def test_the_gate_is_drawn_bin_by_bin() -> None:
    chart = gate_chart(GATE, 0)
    for axis, counts in zip(chart.axes, GATE.histogram, strict=True):
        (steps,) = axis.patches
        assert steps.get_data().values.tolist() == list(counts)
        assert steps.get_data().edges[[0, -1]].tolist() == [0, 1]
    lines = [[line.get_xdata().tolist() for line in axis.lines] for axis in chart.axes]
    ends = [[quantiles[0], quantiles[-1]] for quantiles in GATE.quantiles]
    assert [line for line, _ in lines] == ends
    assert [dot for _, (dot,) in lines] == list(GATE.mean)
    assert "0.25  (0.10 to 0.40)" in text_of(draw(chart, "title"))


def test_charts_take_the_colours_of_the_page_and_keep_no_names_that_others_may_have() -> None:
    bars = [Bar("a", 0, Estimate(0.5, 0.4, 0.6, 9))]
    one, other = (draw(interval_chart([Group("x", bars)]), title) for title in ("one", "other"))
    assert (one.get("aria-label"), other.get("aria-label")) == ("one", "other")
    text = tostring(one, encoding="unicode")
    assert {"var(--ink)", "var(--soft)", "var(--rule)"} <= set(re.findall(r"var\(--\w+\)", text))
    assert not set(PAGE_COLOURS) & set(re.findall(r"#\w{6}", text))
    assert set(PAGE_COLOURS) <= set(re.findall(r"#\w{6}", read_style()))
    named = {part.get("id") for part in one.iter()} - {None}
    assert named == set(re.findall(r"#(\w+)[\")]", text))
    assert text == tostring(other, encoding="unicode").replace("other", "one")


@pytest.mark.slow
def test_gate_weights_are_of_all_seeds(comparison: Comparison) -> None:
    gate = over_seeds(comparison.arms[2])
    assert gate is not None
    assert gate.mean == GATE.mean
    assert sum(gate.histogram[0]) == 5 * sum(GATE.histogram[0])
    assert over_seeds(comparison.arms[0]) is None
    wide = GATE.model_copy(update={"quantiles": ((0, 0, 0, 0, 1), (0, 0, 0, 0, 1))})
    results = [
        result.model_copy(update={"gate": gate})
        for result, gate in zip(comparison.arms[2].results, (GATE, wide), strict=False)
    ]
    two = over_seeds(replace(comparison.arms[2], results=tuple(results)))
    assert two is not None
    assert two.quantiles[0] == pytest.approx((0.05, 0.1, 0.125, 0.15, 0.7))  # each seed's own, averaged
    assert "with several seeds, both are averages over seeds" in text_of(make_page(comparison, {}))


@pytest.mark.slow
def test_a_swept_setting_is_drawn_with_its_intervals_and_the_reference_across() -> None:
    random = np.random.default_rng(0)
    values = {"synergy-0.01": 0.01, "synergy-0.1": 0.1, "synergy-1": 1.0}
    ranks = {model: random.integers(1, 40, (2, 100)).tolist() for model in ("id", *values)}
    comparison = compare_ranks(ranks, metrics=["ndcg@10"])
    assert "Sensitivity" not in [heading.text for heading in make_page(comparison, {}).iter("h2")]
    for arm in comparison.arms[1:]:
        fusion = {"kind": "prism_experts", "lambdas": {"synergy": values[arm.model]}}
        for result in arm.results:
            result.config.update(RunConfig.parse({"model": {"fusion": fusion}}).model_dump(mode="json"))
    page = make_page(comparison, {})
    assert "Sensitivity" in [heading.text for heading in page.iter("h2")]
    assert "differ only in model.fusion.lambdas.synergy (synergy-0.01, synergy-0.1, synergy-1)" in text_of(
        page
    )
    assert "The horizontal line is id." in text_of(page)


def test_points_of_a_sweep_stand_at_their_means_equally_far_apart() -> None:
    points = [
        ("0.01", Estimate(0.1, 0.05, 0.15, 9)),
        ("0.1", Estimate(0.3, 0.2, 0.4, 9)),
        ("1", Estimate(0.2, 0.1, 0.3, 9)),
    ]
    (axis,) = sweep_chart(points, Estimate(0.15, 0.1, 0.2, 9), "setting", "ndcg@10").axes
    curve, across = axis.lines
    assert curve.get_xydata().tolist() == [[0, 0.1], [1, 0.3], [2, 0.2]]
    assert across.get_ydata() == [0.15, 0.15]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert axis.get_xlim() == (-0.5, 2.5)


@pytest.mark.slow
def test_the_cost_of_an_epoch_is_a_mean_over_all_epochs(comparison: Comparison) -> None:
    assert "s per epoch" in text_of(make_page(comparison, {}))
    assert "1.50" in text_of(make_page(comparison, {}))


@pytest.mark.slow
def test_of_many_figures_of_one_kind_the_first_are_shown_and_the_rest_folded_away(
    comparison: Comparison,
) -> None:
    prism = comparison.arms[2]
    figures = gates([replace(prism, model=f"prism-{number}") for number in range(5)])
    assert len(fold("how to read", figures[:3])) == 1 + 3
    assert len(fold("how to read", figures)) == 1 + 3 + 1
    folded = fold("how to read", figures)[-1]
    assert folded.tag == "details"
    assert len(list(folded.iter("figure"))) == 2


def test_the_page_opens_with_the_result_in_plain_words() -> None:
    ranks = {
        "id": [[1] * 50 + [30] * 50],
        "prism": [[1] * 60 + [30] * 40],
        "sum": [[1] * 50 + [30] * 50],
    }
    found = compare_ranks(ranks, metrics=["ndcg@10", "recall@10"])
    assert results_in_words(found) == [
        "prism (ids only) against id (ids only): +20 % hits in the top 10. More than chance over these users.",
        "sum (ids only) against id (ids only): the same number of hits in the top 10, to the nearest percent.",
    ]
    body = make_page(found, {}).find("body")
    assert body is not None
    assert [part.text for part in body[1:3]] == results_in_words(found)
    only = compare_ranks({"id": ranks["id"], "popularity": ranks["sum"]}, models={"id": {}}, popularity=True)
    assert results_in_words(only) == []


def test_the_words_of_a_control_say_that_its_features_are_not_its_own() -> None:
    ranks = {
        "prism": [[1] * 60 + [30] * 40],
        "other": [[1] * 50 + [30] * 50],
        "noise": [[1] * 50 + [30] * 50],
    }
    found = compare_ranks(ranks, metrics=["recall@10"])
    settings = {
        "prism": {"model": {"fusion": {"kind": "prism"}}},
        "other": {"features": "shuffled", "model": {"fusion": {"kind": "prism"}, "modalities": ["text"]}},
        "noise": {"features": "random", "model": {"fusion": {"kind": "prism"}}},
    }
    arms = [
        replace(arm, results=(arm.results[0].model_copy(update={"config": settings[arm.model]}),))
        for arm in found.arms
    ]
    told = " ".join(results_in_words(replace(found, arms=tuple(arms))))
    assert "other (with text of other items) against prism (with all features)" in told
    assert "noise (with all features replaced by noise)" in told


def test_charts_for_a_phone_keep_the_size_of_their_letters(comparison: Comparison) -> None:
    for figure in (differences(comparison, "films"), slices(comparison, "films"), curves(comparison.arms)):
        wide, narrow = (svg for svg in figure if svg.tag == "svg")
        width = float(narrow.get("viewBox", "").split()[2])
        assert (wide.get("class"), narrow.get("class")) == ("wide", "narrow")
        assert 358 / width * 8 > 10  # pixels of a letter of 8 points on a phone of 390 pixels
    assert ".narrow" in read_style()


def test_charts_are_as_high_as_their_rows_and_have_the_style_of_the_page() -> None:
    estimate = Estimate(0.5, 0.4, 0.6, 9)
    bars = [Bar(name, 0, estimate) for name in "abc"]
    places = ComponentMap(("a", "b"), 2, np.array([0, 0, 1, 1]), np.zeros((4, 2)), np.array([0.5, 0.25]))
    charts = {
        interval_chart([Group("x", bars), Group("y", bars[:2])]): 5 * 0.2 + 2 * 0.3 + 0.3,
        curve_chart([Curve("a", 0, [(1, 0.1)], 1)], "x", "y"): 3,
        gate_chart(GATE, 0): 2 * 0.6 + 0.3,
        sweep_chart([("1", estimate)], None, "x", "y"): 2.6,
        map_chart(places): 4.5,
    }
    for chart, height in charts.items():
        assert tuple(chart.get_size_inches()) == pytest.approx((7.5, height))
        assert not any(axis.spines["top"].get_visible() for axis in chart.axes)
