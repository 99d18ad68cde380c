"""The dataset card: one page, as Markdown and as HTML, on what a dataset holds and how it came to be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from prism_rec.data.dataset import Dataset
from prism_rec.data.describe import describe, tell

_EDGES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse}"
    "td{padding:.15rem 1rem .15rem 0;vertical-align:top;border-bottom:1px solid #8884}"
    "text{font:12px system-ui,sans-serif;fill:currentColor}rect{fill:#4477aa}pre{overflow:auto}"
)


def write_card(dataset: Dataset, config: Mapping[str, Any], inputs: Iterable[str]) -> tuple[str, str]:
    """Return the card as Markdown and as one HTML page that needs nothing else; equal data, equal text.

    Args:
        dataset: what it is about.
        config: the settings it was prepared with, JSON values.
        inputs: names of the files that were read.
    """
    rows = tell(describe(dataset))
    bars = count_lengths(dataset.histories.lengths)
    settings = json.dumps(config, indent=2, ensure_ascii=False)
    files = list(inputs)
    return _as_markdown(rows, bars, settings, files), _as_html(rows, bars, settings, files)


def count_lengths(lengths: np.ndarray) -> list[tuple[str, int]]:
    """Return how many histories have how many items, from the shortest class to the longest that occurs."""
    counts = np.histogram(lengths, [*_EDGES, np.inf])[0]
    labels = [
        str(low) if high - low == 1 else f"{low} to {high - 1}"
        for low, high in zip(_EDGES, _EDGES[1:], strict=False)
    ]
    labels.append(f"{_EDGES[-1]} or more")
    found = np.flatnonzero(counts)
    if not len(found):
        return []
    shown = slice(int(found[0]), int(found[-1]) + 1)
    return [(label, int(count)) for label, count in zip(labels[shown], counts[shown], strict=True)]


def _as_markdown(
    rows: Sequence[tuple[str, str]], bars: Sequence[tuple[str, int]], settings: str, inputs: Sequence[str]
) -> str:
    most = max((count for _, count in bars), default=1)
    drawn = [(label, f"{count:,}", "█" * round(24 * count / most)) for label, count in bars]
    parts = [
        "# Dataset card",
        _table(("", ""), rows),
        "## History lengths",
        _table(("items", "users", ""), drawn),
        "## Made from",
        "\n".join(f"- {_plain(name)}" for name in inputs),
        "Hashes are in `manifest.json`. Settings:",
        "\n".join(f"    {line}" for line in settings.splitlines()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in " ".join(text.split()))


def _as_html(
    rows: Sequence[tuple[str, str]], bars: Sequence[tuple[str, int]], settings: str, inputs: Sequence[str]
) -> str:
    table = "".join(f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>\n" for label, value in rows)
    files = "".join(f"<li>{escape(name)}</li>\n" for name in inputs)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Dataset card</title>\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>Dataset card</h1>\n<table>\n{table}</table>\n"
        f"<h2>History lengths</h2>\n{draw_bars(bars)}\n<h2>Made from</h2>\n<ul>\n{files}</ul>\n"
        f"<p>Hashes are in <code>manifest.json</code>. Settings:</p>\n<pre>{escape(settings)}</pre>\n"
        "</body></html>\n"
    )


def draw_bars(bars: Sequence[tuple[str, int]]) -> str:
    """Return labelled counts as horizontal bars, an inline SVG."""
    most = max((count for _, count in bars), default=1)
    lines = []
    for row, (label, count) in enumerate(bars):
        width, middle = 420 * count / most, 22 * row + 15
        lines.append(
            f'<text x="110" y="{middle}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="120" y="{22 * row + 3}" width="{width:.1f}" height="16"/>'
            f'<text x="{126 + width:.1f}" y="{middle}">{count:,}</text>'
        )
    return (
        f'<svg viewBox="0 0 640 {22 * len(bars)}" width="640" role="img" '
        'aria-label="users by number of items">\n' + "\n".join(lines) + "\n</svg>"
    )
