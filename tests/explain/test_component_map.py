from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import polars as pl
import pytest

from comparison.made_up import compare_ranks
from prism_rec.comparison.report.charts import map_chart
from prism_rec.comparison.report.page import make_page, write_report
from prism_rec.comparison.report.svg import draw
from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.explain.component_map import MOST_ITEMS, ComponentMap, map_components, map_run
from prism_rec.runs.train import train
from prism_rec.training import RunConfig

NAMES = ("unique:text", "redundancy", "synergy")


def text_of(page: Element) -> str:
    return " ".join(page.itertext())


def test_components_that_keep_to_themselves_are_told_from_those_that_mix() -> None:
    random = np.random.default_rng(0)
    apart = np.zeros((40, 3, 8))
    apart[:, [0, 1, 2], [0, 1, 2]] = 1  # each expert in a direction of its own
    apart += 0.05 * random.normal(size=apart.shape)
    mixed = random.normal(size=apart.shape)
    mixed[:, 2] = apart[:, 2]  # one keeps to itself even here
    every = np.ones((40, 3), bool)
    clear, blurred = (map_components(vectors, every, NAMES) for vectors in (apart, mixed))
    assert (clear.separation_J > 0.9).all()
    assert (np.abs(blurred.separation_J[:2]) < 0.2).all()
    assert blurred.separation_J[2] > 0.9
    assert clear.separation == pytest.approx(clear.separation_J.mean())
    between = np.array([clear.places_P2[clear.component_P == j].mean(0) for j in range(3)])
    for j in range(3):  # the map shows it: each component's points lie about their own middle
        distances = np.linalg.norm(clear.places_P2[clear.component_P == j, None] - between, axis=2)
        assert (distances.argmin(1) == j).all()


def test_what_an_item_lacks_is_no_point_and_many_items_are_thinned_out_evenly() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(12, 2, 4))
    present = np.ones((12, 2), bool)
    present[:3, 0] = present[3] = present[4:, 1] = False
    found = map_components(vectors, present, NAMES[:2])
    assert found.items == 11
    assert np.bincount(found.component_P).tolist() == [8, 3]
    assert found.places_P2.shape == (11, 2)
    assert np.isfinite(found.places_P2).all()
    assert MOST_ITEMS == 250


@pytest.mark.parametrize(
    "present",
    [np.zeros((5, 2), bool), np.tile([True, False], (5, 1)), np.ones((1, 2), bool)],
    ids=["none", "one kind", "one item"],
)
def test_too_few_components_are_told(present: np.ndarray) -> None:
    vectors = np.random.default_rng(0).normal(size=(*present.shape, 4))
    with pytest.raises(InputError, match="too few components for a map, or all of one kind"):
        map_components(vectors, present, NAMES[:2])


def test_components_that_are_all_the_same_are_told() -> None:
    with pytest.raises(InputError, match="components of its items are all equal"):
        map_components(np.ones((6, 2, 4)), np.ones((6, 2), bool), NAMES[:2])


def test_the_fewest_components_that_can_be_laid_out() -> None:
    present = np.array([[True, True], [True, False]])
    found = map_components(np.random.default_rng(0).normal(size=(2, 2, 4)), present, NAMES[:2])
    assert np.isfinite(found.places_P2).all()


def test_the_map_has_a_dot_for_each_component_of_each_item_in_its_colour() -> None:
    places = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.25]])
    chart = map_chart(ComponentMap(NAMES[:2], 2, np.array([0, 1, 1]), places, np.array([0.5, -0.25])))
    first, second = chart.axes[0].collections
    assert (first.get_offsets().tolist(), second.get_offsets().tolist()) == ([[0, 0]], [[1, 1], [0.5, 0.25]])
    assert first.get_facecolor()[0].tolist() != second.get_facecolor()[0].tolist()
    text = text_of(draw(chart, "title"))
    assert "silhouette +0.50" in text
    assert "silhouette -0.25" in text


def train_small(folder: Path) -> None:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(30), 5),
            "item_id": np.concatenate([random.choice(20, 5, replace=False) for _ in range(30)]),
        }
    )
    features = {"text": (random.normal(size=(20, 4)).astype(np.float32), list(range(20)))}
    settings = {
        "model": {"width": 8, "fusion": {"kind": "prism_experts", "hidden": 8}},
        "train": {"epochs": 1},
    }
    dataset = Dataset.from_frame(log, features=features, time="order")
    train(RunConfig.parse(settings), folder, data=dataset, device="cpu")


@pytest.mark.slow
def test_a_run_is_mapped_and_shown_and_one_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        map_run(tmp_path / "run")
    train_small(tmp_path / "run")
    found = map_run(tmp_path / "run")
    assert found.names == NAMES
    assert found.items == 20
    comparison = compare_ranks({"id": [list(range(1, 31))], "prism": [list(range(1, 31))]})
    shown = make_page(comparison, {("films", "prism"): found})
    assert "Where the components lie" in [heading.text for heading in shown.iter("h2")]
    assert f"mean silhouette {found.separation:+.2f}" in text_of(shown)
    write_report(comparison, tmp_path)  # where the comparison's own run is not
    assert "No map of prism: " in (tmp_path / "report.html").read_text()
