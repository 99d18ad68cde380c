"""A comparison's numbers as figures with captions."""

from collections.abc import Callable, Sequence
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.figure import Figure

from prism_rec.comparison.comparison import Arm, Comparison, SliceOfUsers
from prism_rec.comparison.recipe import POPULARITY
from prism_rec.comparison.report.charts import (
    NARROW,
    WIDE,
    Bar,
    Curve,
    Group,
    curve_chart,
    gate_chart,
    interval_chart,
    map_chart,
    sweep_chart,
)
from prism_rec.comparison.report.svg import draw
from prism_rec.comparison.report.sweeps import Sweep
from prism_rec.evaluation.slices import FEWEST_USERS
from prism_rec.explain.component_map import ComponentMap
from prism_rec.explain.gate_weights import GateWeights
from prism_rec.markup import element


def accuracy(comparison: Comparison, data: str) -> Element:
    """Return the recipe's metrics of every model."""
    arms = comparison.arms_of(data)
    groups = [
        Group(
            metric,
            [
                Bar(arm.model, number, comparison.estimates[data, arm.model, metric])
                for number, arm in enumerate(arms)
            ],
        )
        for metric in comparison.recipe.metrics
    ]
    return _figure(
        partial(interval_chart, groups),
        f"Accuracy on {data}",
        "Means over the test users with 95 % intervals. Overlapping intervals do not decide whether two models differ, "
        "because both are over the same users. The paired differences decide that.",
    )


def differences(comparison: Comparison, data: str) -> Element:
    """Return each model's metrics minus its reference's; popularity, which differs most, only if there is no other."""
    recipe, arms = comparison.recipe, list(enumerate(comparison.arms_of(data)))
    trained = [(number, arm) for number, arm in arms if arm.model != POPULARITY]
    tested = [(number, arm) for number, arm in trained if recipe.reference_of(arm.model)] or arms
    references = dict.fromkeys(recipe.reference_of(arm.model) for _, arm in tested)
    groups = [
        Group(
            f"{metric} minus {reference}'s",
            [
                Bar(arm.model, number, comparison.differences[data, arm.model, metric].estimate)
                for number, arm in tested
                if recipe.reference_of(arm.model) == reference
            ],
        )
        for metric in recipe.metrics
        for reference in references
        if reference
    ]
    if not groups:
        return element("p", "No model is tested against another.", class_="soft")
    return _figure(
        partial(interval_chart, groups, differences=True),
        f"Differences on {data}",
        "User by user. An interval that includes zero shows no difference in either direction.",
    )


def curves(arms: Sequence[Arm]) -> Element:
    """Return the validation metric of every run, epoch by epoch."""
    metric = str(arms[0].results[0].config["train"]["metric"])
    drawn = [
        Curve(
            arm.model,
            number,
            [(float(r.epoch), r.validation[metric]) for r in result.epochs if metric in r.validation],
            float(result.best_epoch),
        )
        for number, arm in enumerate(arms)
        for result in arm.results
        if result.epochs
    ]
    return _figure(
        partial(curve_chart, drawn, "epoch", f"validation {metric}"),
        f"Validation {metric} by epoch",
        f"Validation {metric} by epoch, one line per seed. The dot is the epoch whose weights were tested.",
    )


def slices(comparison: Comparison, data: str) -> Element:
    """Return the first metric of every model on the parts of the users."""
    metric = comparison.recipe.metrics[0]
    users = comparison.estimates[data, comparison.reference, metric].queries
    parts = [part for part in comparison.slices[data] if _size(part, metric) < users]
    drawn = [part for part in parts if _size(part, metric) >= FEWEST_USERS]
    groups = [
        Group(
            f"{part.name} ({_size(part, metric):,} users: {part.description})",
            [Bar(model, number, by[metric]) for number, (model, by) in enumerate(part.estimates.items())],
        )
        for part in drawn
    ]
    left_out = [f"{part.name} ({_size(part, metric)})" for part in parts if part not in drawn]
    note = f" Not drawn, with fewer than {FEWEST_USERS} users: {', '.join(left_out)}." if left_out else ""
    if not groups:
        return element("p", note.strip() or "There are no parts to compare.", class_="soft")
    return _figure(
        partial(interval_chart, groups),
        f"{metric} by slice on {data}",
        f"{metric} with 95 % intervals, by the length of the history, by how often the target occurs in training, and "
        f"by whether it lacks a modality.{note}",
    )


def gates(arms: Sequence[Arm]) -> list[Element]:
    """Return a figure for every model whose gate weighs components for each user."""
    return [
        _figure(
            partial(gate_chart, gate, number),
            f"Gate weights of {arm.model}",
            f"{arm.model}, {len(arm.results)} seed{'s' if len(arm.results) > 1 else ''}",
        )
        for number, arm in enumerate(arms)
        if (gate := over_seeds(arm))
    ]


def component_map(found: ComponentMap, model: str, seed: int) -> Element:
    """Return the map of a model's components."""
    return _figure(
        partial(map_chart, found),
        f"Components of {model}",
        f"{model}, seed {seed}: the components of {found.items} items; mean silhouette {found.separation:+.2f}",
    )


def sensitivity(comparison: Comparison, data: str, sweep: Sweep) -> Element:
    """Return the first metric over the values of one setting."""
    metric, reference = comparison.recipe.metrics[0], comparison.reference
    points = [
        (f"{value:g}", comparison.estimates[data, arm.model, metric])
        for value, arm in zip(sweep.values, sweep.arms, strict=True)
    ]
    models = [arm.model for arm in sweep.arms]
    across = None if reference in models else comparison.estimates[data, reference, metric]
    note = "" if across is None else f" The horizontal line is {reference}."
    return _figure(
        partial(sweep_chart, points, across, sweep.setting, metric),
        f"{metric} by {sweep.setting}",
        f"{metric} of the models that differ only in {sweep.setting} ({', '.join(models)}), with 95 % intervals over "
        f"users; the values are drawn at equal distances.{note} The best value would be chosen on test data.",
    )


def over_seeds(arm: Arm) -> GateWeights | None:
    """Return the weights over all seeds: means and quantiles averaged, users counted once per seed."""
    found = [result.gate for result in arm.results if result.gate]
    if not found:
        return None
    return GateWeights(
        components=found[0].components,
        mean=tuple(np.mean([gate.mean for gate in found], 0).tolist()),
        quantiles=tuple(map(tuple, np.mean([gate.quantiles for gate in found], 0).tolist())),
        histogram=tuple(map(tuple, np.sum([gate.histogram for gate in found], 0).tolist())),
    )


def _size(part: SliceOfUsers, metric: str) -> int:
    return next(iter(part.estimates.values()))[metric].queries


def _figure(chart: Callable[..., Figure], title: str, caption: str) -> Element:
    """Return a chart as wide as a screen and one as wide as a phone, of which the style sheet shows one."""
    drawn = []
    for kind, width in (("wide", WIDE), ("narrow", NARROW)):
        svg = draw(chart(width=width), title)
        svg.set("class", kind)
        drawn.append(svg)
    return element("figure", *drawn, element("figcaption", caption))
