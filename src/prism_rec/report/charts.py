"""Charts as inline SVG: intervals, curves, distributions, maps. Colours and fonts come from the page's style."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from prism_rec.compare.result import GateWeights
from prism_rec.evaluate.intervals import Estimate
from prism_rec.report.components import ComponentMap
from prism_rec.report.markup import element
from prism_rec.report.scale import Scale, make_scale

WIDTH = 720.0
LABELS = 130.0
"""Width of the column of names at the left."""
NUMBERS = 185.0
"""Width of the column of numbers at the right."""
ROW = 20.0
COLOURS = 8
"""How many colours the style has; further models begin again with the first."""


class Bar(NamedTuple):
    """A mean with its interval, in the colour of its model."""

    label: str
    colour: int
    estimate: Estimate


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


def interval_chart(groups: Sequence[Group], title: str, differences: bool = False) -> Element:
    """Return horizontal bars from zero with their intervals; for differences dots, about a line at zero."""
    estimates = [bar.estimate for group in groups for bar in group.bars]
    low = min([0.0, *(estimate.low for estimate in estimates)])
    high = max([0.0, *(estimate.high for estimate in estimates)])
    scale = make_scale(low, high, LABELS, WIDTH - NUMBERS)
    height = sum(ROW * (len(group.bars) + 1.5) for group in groups)
    drawn = [_vertical_axis(scale, height)]
    if differences:
        drawn.append(_line(scale(0), 0, scale(0), height, "zero"))
    y = 0.0
    for group in groups:
        drawn.append(_text(0, y + 14, group.heading, "heading"))
        y += ROW * 1.1
        for bar in group.bars:
            drawn += _interval(bar, scale, y, differences)
            y += ROW
        y += ROW * 0.4
    return _svg(height + 24, title, drawn)


def curve_chart(curves: Sequence[Curve], x_label: str, y_label: str) -> Element:
    """Return lines over a common axis, a dot where a curve is marked."""
    height, left, right = 280.0, 56.0, WIDTH - 110
    points = [point for curve in curves for point in curve.points]
    x_scale = make_scale(0, max((x for x, _ in points), default=1), left, right)
    y_scale = make_scale(0, max((y for _, y in points), default=1), height - 36, 10)
    drawn = _horizontal_axis(y_scale, left, right)
    for tick in x_scale.ticks:
        drawn.append(_text(x_scale(tick), height - 20, x_scale.label(tick), "tick middle"))
    drawn.append(_text((left + right) / 2, height - 3, x_label, "tick middle"))
    for curve in curves:
        drawn += _curve(curve, x_scale, y_scale)
    drawn += _curve_labels(curves, y_scale, right + 8)
    return _svg(height, f"{y_label} by {x_label}", drawn)


def gate_chart(gate: GateWeights, colour: int, title: str) -> Element:
    """Return for each component how its weight is spread over users: a histogram, its mean, 5 to 95 %."""
    rows, height_of_row = len(gate.components), 56.0
    bins = len(gate.histogram[0])
    last = max(place for counts in gate.histogram for place, count in enumerate(counts) if count) + 1
    scale = make_scale(0, last / bins, LABELS, WIDTH - NUMBERS)
    most = max(count for counts in gate.histogram for count in counts)
    height = rows * height_of_row
    drawn = [_vertical_axis(scale, height)]
    for j, component in enumerate(gate.components):
        floor = (j + 1) * height_of_row - 10
        drawn.append(_text(0, floor - 10, component, "label"))
        for place, count in enumerate(gate.histogram[j]):
            tall = count / most * (height_of_row - 16)
            begin, end = scale(place / bins), scale((place + 1) / bins)
            if count:
                drawn.append(
                    _rectangle(begin, floor - tall, end - begin - 1, tall, f"bar colour-{colour % COLOURS}")
                )
        drawn.append(_line(LABELS, floor, WIDTH - NUMBERS, floor, "grid"))
        low, *_, high = gate.quantiles[j]
        drawn.append(_line(scale(low), floor + 4, scale(high), floor + 4, "whisker"))
        drawn.append(element("circle", cx=scale(gate.mean[j]), cy=floor + 4, r=3.5, class_="dot"))
        numbers = f"{gate.mean[j]:.2f}  ({low:.2f} to {high:.2f})"
        drawn.append(_text(WIDTH, floor - 10, numbers, "number end"))
    return _svg(height + 24, title, drawn)


def sweep_chart(
    points: Sequence[tuple[str, Estimate]], across: Estimate | None, x_label: str, y_label: str
) -> Element:
    """Return means with their intervals over values that stand equally far apart, joined by a line.

    Args:
        points: a value as text and what was measured with it.
        across: drawn as a line across the whole chart.
        x_label: what the values are of.
        y_label: what was measured.
    """
    height, left, right = 240.0, 56.0, WIDTH - 110
    estimates = [estimate for _, estimate in points]
    ends = [end for each in estimates for end in (each.low, each.high)] + ([across.mean] if across else [])
    y_scale = make_scale(min(ends), max(ends), height - 36, 10)
    step = (right - left) / len(points)
    x = [left + step * (place + 0.5) for place in range(len(points))]
    drawn = _horizontal_axis(y_scale, left, right)
    drawn.append(_text((left + right) / 2, height - 3, x_label, "tick middle"))
    if across:
        drawn.append(_line(left, y_scale(across.mean), right, y_scale(across.mean), "zero"))
    line = " ".join(f"{at:.2f},{y_scale(each.mean):.2f}" for at, each in zip(x, estimates, strict=True))
    drawn.append(element("polyline", points=line, class_="curve colour-2"))
    for at, (value, each) in zip(x, points, strict=True):
        dot = element("circle", cx=at, cy=y_scale(each.mean), r=4.5, class_="dot colour-2")
        dot.append(element("title", f"{value}: {each.mean:.4f} ({each.low:.4f} to {each.high:.4f})"))
        drawn += [_line(at, y_scale(each.low), at, y_scale(each.high), "whisker"), dot]
        drawn.append(_text(at, height - 20, value, "tick middle"))
    return _svg(height, f"{y_label} by {x_label}", drawn)


def map_chart(points: ComponentMap, title: str) -> Element:
    """Return a dot for each component of each item, in the component's colour, and each component's silhouette."""
    size, left = 420.0, 190.0
    low, high = points.places_P2.min(0), points.places_P2.max(0)
    places_P2 = 8 + (points.places_P2 - low) / np.maximum(high - low, 1e-9) * (size - 16)
    drawn = []
    for j, name in enumerate(points.names):
        kind = f"colour-{j % COLOURS}"
        rows = places_P2[points.component_P == j]
        drawn.append(element("g", *(_dot(left + x, y) for x, y in rows.tolist()), class_=f"cloud {kind}"))
        drawn.append(_text(0, 20 + 40 * j, name, f"name {kind}"))
        drawn.append(_text(0, 36 + 40 * j, f"silhouette {points.separation_J[j]:+.2f}", "tick"))
    return _svg(size, title, drawn)


def _dot(x: float, y: float) -> Element:
    return element("circle", cx=x, cy=y, r=2.6)


def _interval(bar: Bar, scale: Scale, y: float, differences: bool) -> list[Element]:
    middle, (mean, low, high, queries) = y + ROW / 2, _numbers(bar.estimate)
    sign = "+" if differences else ""
    numbers = f"{mean:{sign}.4f}  ({low:{sign}.4f} to {high:{sign}.4f})"
    colour = f"colour-{bar.colour % COLOURS}"
    if differences:
        mark = element("circle", cx=scale(mean), cy=middle, r=4.5, class_=f"dot {colour}")
    else:
        mark = _rectangle(scale(0), y + 4, scale(mean) - scale(0), ROW - 8, f"bar {colour}")
    mark.append(element("title", f"{bar.label}: {numbers}, {queries:,} users"))
    return [
        _text(8, middle + 4, bar.label, "label"),
        mark,
        _line(scale(low), middle, scale(high), middle, "whisker"),
        _line(scale(low), middle - 4, scale(low), middle + 4, "whisker"),
        _line(scale(high), middle - 4, scale(high), middle + 4, "whisker"),
        _text(WIDTH, middle + 4, numbers, "number end"),
    ]


def _numbers(estimate: Estimate) -> tuple[float, float, float, int]:
    return estimate.mean, estimate.low, estimate.high, estimate.queries


def _curve(curve: Curve, x_scale: Scale, y_scale: Scale) -> list[Element]:
    colour = f"colour-{curve.colour % COLOURS}"
    points = " ".join(f"{x_scale(x):.2f},{y_scale(y):.2f}" for x, y in curve.points)
    drawn = [element("polyline", points=points, class_=f"curve {colour}")]
    for x, y in curve.points:
        if x == curve.marked:
            dot = element("circle", cx=x_scale(x), cy=y_scale(y), r=4.5, class_=f"dot {colour}")
            dot.append(element("title", f"{curve.label}: best {y:.4f} at epoch {x:g}"))
            drawn.append(dot)
    return drawn


def _curve_labels(curves: Sequence[Curve], y_scale: Scale, x: float) -> list[Element]:
    """Name each colour once, where its curve ends, moved apart where they would touch."""
    ends = {curve.label: (y_scale(curve.points[-1][1]), curve.colour) for curve in curves if curve.points}
    drawn, lowest = [], 0.0
    for label, (y, colour) in sorted(ends.items(), key=lambda end: end[1]):
        lowest = max(y, lowest + 15)
        drawn.append(_text(x, lowest + 4, label, f"name colour-{colour % COLOURS}"))
    return drawn


def _vertical_axis(scale: Scale, height: float) -> Element:
    group = element("g")
    for tick in scale.ticks:
        group.append(_line(scale(tick), 0, scale(tick), height, "grid"))
        group.append(_text(scale(tick), height + 16, scale.label(tick), "tick middle"))
    return group


def _horizontal_axis(scale: Scale, left: float, right: float) -> list[Element]:
    drawn = []
    for tick in scale.ticks:
        drawn.append(_line(left, scale(tick), right, scale(tick), "grid"))
        drawn.append(_text(left - 6, scale(tick) + 4, scale.label(tick), "tick end"))
    return drawn


def _svg(height: float, title: str, drawn: Sequence[Element]) -> Element:
    return element("svg", *drawn, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", role="img", aria_label=title)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _rectangle(x: float, y: float, width: float, height: float, kind: str) -> Element:
    return element("rect", x=x, y=y, width=max(width, 0.0), height=height, class_=kind)


def _text(x: float, y: float, text: str, kind: str) -> Element:
    return element("text", text, x=x, y=y, class_=kind)
