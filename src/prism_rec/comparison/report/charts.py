"""Charts of means with intervals, curves, distributions and maps, drawn by matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.style import context

from prism_rec.evaluation.intervals import Estimate
from prism_rec.explain.component_map import ComponentMap
from prism_rec.explain.gate_weights import GateWeights

STYLE = Path(__file__).with_name("charts.mplstyle")
INK = "#1c1f24"
COLOURS = ("#7a8594", "#d9822b", "#2f7fd1", "#1f9e77", "#b0569b", "#a08a12", "#d1495b", "#4bb0c9")
"""Colours of models and components; after the last one the first is used again."""
WIDE, NARROW, ROW = 7.5, 3.6, 0.2
"""Width of a figure for a screen and for a phone, and height of one row in it, in inches."""
LONGEST = 30
"""Most letters of a name."""


class Bar(NamedTuple):
    """A mean with its interval, in the colour of its model."""

    label: str
    """Name of the model."""
    colour: int
    """Number of the colour."""
    estimate: Estimate
    """The mean and the interval."""


class Group(NamedTuple):
    """Bars under one heading."""

    heading: str
    bars: list[Bar]


class Curve(NamedTuple):
    """Points joined by a line, one of them marked."""

    label: str
    colour: int
    points: list[tuple[float, float]]
    marked: float


@context(STYLE)
def interval_chart(groups: Sequence[Group], differences: bool = False, width: float = WIDE) -> Figure:
    """Return horizontal bars from zero with their intervals; for differences, dots around a line at zero."""
    rows = [len(group.bars) for group in groups]
    headings = [_wrap(group.heading, width) for group in groups]
    extra = sum(heading.count("\n") for heading in headings) * ROW
    figure, axes = _figure(sum(rows) * ROW + len(rows) * 0.3 + 0.3 + extra, width, len(groups), rows)
    sign = "+" if differences else ""
    for axis, group, heading in zip(axes, groups, headings, strict=True):
        axis.set_title(heading)
        for place, bar in enumerate(group.bars):
            estimate, colour = bar.estimate, _colour(bar.colour)
            if differences:
                axis.plot(estimate.mean, place, "o", color=colour)
            else:
                axis.barh(place, estimate.mean, 0.6, color=colour, alpha=0.55)
            axis.plot([estimate.low, estimate.high], [place, place], "|-", color=INK, linewidth=1)
            interval = f"{estimate.low:{sign}.4f} to {estimate.high:{sign}.4f}"
            _beside(axis, place, f"{estimate.mean:{sign}.4f}" + (f"  ({interval})" if width == WIDE else ""))
        if differences:
            axis.axvline(0, color=INK, linewidth=1)
        axis.set_yticks(range(len(group.bars)), [_shorten(bar.label, width) for bar in group.bars], color=INK)
        axis.set_ylim(len(group.bars) - 0.4, -0.6)
        axis.grid(visible=False, axis="y")
    return figure


@context(STYLE)
def curve_chart(curves: Sequence[Curve], x_label: str, y_label: str, width: float = WIDE) -> Figure:
    """Return lines over a common axis, each with a dot at its marked point."""
    figure, (axis,) = _figure(3, width)
    lines: dict[str, Line2D] = {}  # one name per colour, not per line
    for curve in curves:
        points = np.array(curve.points).reshape(-1, 2)
        marked = np.flatnonzero(points[:, 0] == curve.marked).tolist()
        (line,) = axis.plot(*points.T, "-o", color=_colour(curve.colour), markevery=marked)
        lines.setdefault(_shorten(curve.label, width), line)
    axis.set(xlabel=x_label, ylabel=y_label, xlim=(0, None), ylim=(0, None))
    names = 0.18 * len(lines)  # height of the legend
    axis.legend(list(lines.values()), list(lines), **_place_of_legend(width))
    figure.set_figheight(max(3, 0.6 + names) if width == WIDE else 3 + names)
    return figure


@context(STYLE)
def gate_chart(gate: GateWeights, colour: int, width: float = WIDE) -> Figure:
    """Return the distribution of each component's weight over users: a histogram, the mean, and 5 to 95 %."""
    rows = len(gate.components)
    figure, axes = _figure(rows * 0.6 + 0.3, width, rows)
    counts_JX = np.array(gate.histogram)
    edges = np.linspace(0, 1, counts_JX.shape[1] + 1)
    most, last = counts_JX.max(), np.flatnonzero(counts_JX.sum(0))[-1] + 1
    for j, axis in enumerate(axes):
        low, *_, high = gate.quantiles[j]
        axis.stairs(counts_JX[j], edges, fill=True, color=_colour(colour), alpha=0.55)
        below = -0.12 * most  # the line of the quantiles is below the bars
        axis.plot([low, high], [below, below], color=INK)
        axis.plot(gate.mean[j], below, "o", color=INK)
        axis.set(xlim=(0, edges[last]), ylim=(2 * below, most))
        axis.set_yticks([0], [gate.components[j]], color=INK)
        _beside(axis, 0, f"{gate.mean[j]:.2f}" + (f"  ({low:.2f} to {high:.2f})" if width == WIDE else ""))
    return figure


@context(STYLE)
def sweep_chart(
    points: Sequence[tuple[str, Estimate]],
    across: Estimate | None,
    x_label: str,
    y_label: str,
    width: float = WIDE,
) -> Figure:
    """Return means with their intervals over values at equal distances, joined by a line.

    Args:
        points: a value as text, and what was measured with it.
        across: drawn as a horizontal line.
        x_label: name of the setting.
        y_label: name of the metric.
        width: in inches.
    """
    figure, (axis,) = _figure(2.6, width)
    places = range(len(points))
    means = np.array([estimate.mean for _, estimate in points])
    ends = np.array([(estimate.low, estimate.high) for _, estimate in points])
    axis.vlines(places, *ends.T, color=INK, linewidth=1)
    axis.plot(places, means, "-o", color=_colour(2))
    if across:
        axis.axhline(across.mean, color=INK)
    axis.set_xticks(places, [value for value, _ in points])
    axis.set(xlabel=x_label, ylabel=y_label, xlim=(-0.5, len(points) - 0.5))
    return figure


@context(STYLE)
def map_chart(points: ComponentMap, width: float = WIDE) -> Figure:
    """Return one dot per component of each item, in the component's colour, and each component's silhouette."""
    figure, (axis,) = _figure(4.5 if width == WIDE else width + 0.45 * len(points.names), width)
    for j, name in enumerate(points.names):
        label = f"{name}\nsilhouette {points.separation_J[j]:+.2f}"
        x, y = points.places_P2[points.component_P == j].T
        axis.scatter(x, y, 8, _colour(j), alpha=0.7, linewidths=0, label=label)
    axis.set_axis_off()
    axis.set_aspect("equal")
    axis.legend(labelspacing=1, markerscale=2, **_place_of_legend(width))
    return figure


def _figure(
    height: float, width: float, rows: int = 1, heights: Sequence[int] | None = None
) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of `height` inches with charts below each other that share one axis."""
    figure = Figure((width, height), layout="constrained")
    axes = figure.subplots(rows, sharex=True, squeeze=False, height_ratios=heights)
    return figure, axes[:, 0].tolist()


def _shorten(name: str, width: float) -> str:
    """Return a name short enough for the chart, with its beginning and its end."""
    most = int(LONGEST * width / WIDE)
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-(most // 2) + 1 :]}"


def _wrap(heading: str, width: float) -> str:
    """Return a heading on as many lines as a narrow chart needs."""
    return heading if width == WIDE else "\n".join(wrap(heading, 42))


def _place_of_legend(width: float) -> dict[str, Any]:
    """Return arguments of `Axes.legend`: next to the chart, or below a narrow one."""
    if width == WIDE:
        return {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
    return {"loc": "upper left", "bbox_to_anchor": (0, -0.18)}


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _beside(axis: Axes, y: float, text: str) -> None:
    axis.text(1.02, y, text, transform=axis.get_yaxis_transform(), va="center")
