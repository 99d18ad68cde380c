"""The pages of the dataset card, as Markdown and as HTML: the contents of a dataset, and how it was made."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from prism_rec.data.card.describe import describe, in_words
from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE
from prism_rec.files import write_text_atomically
from prism_rec.folders import add_files, require_folder
from prism_rec.markup import element, markdown_table, markdown_text, render

CARDS = ("card.md", "card.html")
_EDGES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
_LONGEST_BAR = 24
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse}"
    "td{padding:.15rem 1rem .15rem 0;vertical-align:top;border-bottom:1px solid #8884}pre{overflow:auto}"
    "body{overflow-wrap:anywhere}td:first-child{overflow-wrap:normal}"
    ".lengths{width:100%}.lengths td{white-space:nowrap}.lengths td:last-child{width:99%}"
    ".bar{display:block;height:1em;margin-top:.25em;background:currentColor}"
)


class Card(NamedTuple):
    """The content of the card, as texts.

    Attributes:
        facts: labels and values.
        lengths: classes of history lengths, with the number of users as a number and as a bar.
        files: names of the files that were read.
        settings: the settings as JSON.
    """

    facts: list[tuple[str, str]]
    lengths: list[tuple[str, str, str]]
    files: list[str]
    settings: str


def write_card(dataset: Dataset, folder: Path) -> None:
    """Write `card.md` and `card.html` into the dataset's folder, and add them to its manifest.

    Raises:
        FolderError: the folder is not a finished dataset.
    """
    manifest = require_folder(folder, STAGE)
    # Those of a joined dataset are settings.
    files = manifest["inputs"] or manifest["config"].get("raw_files", {})
    card = make_card(dataset, manifest["config"], _short(files))
    for name, page in zip(CARDS, (as_markdown(card), as_html(card)), strict=True):
        write_text_atomically(folder / name, page)
    add_files(folder, CARDS)


def _short(files: Iterable[str]) -> list[str]:
    """Return the names of files; with the folder if several have the same name, such as the manifests of vectors."""
    names = [file.rpartition("/")[2] for file in files]
    return [
        name if names.count(name) == 1 else file.lstrip("/") for name, file in zip(names, files, strict=True)
    ]


def make_card(dataset: Dataset, config: Mapping[str, Any], files: Iterable[str]) -> Card:
    """Return the content of the card.

    Args:
        dataset: its subject.
        config: the settings of the dataset, JSON values.
        files: names of the files that were read.
    """
    counts = count_lengths(dataset.histories.lengths)
    most = max((count for _, count in counts), default=1)
    return Card(
        facts=in_words(describe(dataset)),
        lengths=[(label, f"{count:,}", "█" * round(_LONGEST_BAR * count / most)) for label, count in counts],
        files=list(files),
        settings=json.dumps(config, indent=2, ensure_ascii=False),
    )


def count_lengths(lengths: np.ndarray) -> list[tuple[str, int]]:
    """Return the number of histories per class of lengths, from the shortest class that occurs to the longest."""
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


def as_markdown(card: Card) -> str:
    """Return the card as Markdown."""
    parts = [
        "# Dataset card",
        markdown_table(("", ""), [[markdown_text(cell) for cell in row] for row in card.facts]),
        "## History lengths",
        markdown_table(("items", "users", ""), card.lengths),
        "## Made from",
        "\n".join(f"- {markdown_text(name)}" for name in card.files),
        "Hashes are in `manifest.json`. Settings:",
        "\n".join(f"    {line}" for line in card.settings.splitlines()),
    ]
    return "\n\n".join(parts) + "\n"


def as_html(card: Card) -> str:
    """Return the card as one HTML page that needs no other file."""

    def table(rows: Iterable[Iterable[str]]) -> Any:
        return element("table", *(element("tr", *(element("td", cell) for cell in row)) for row in rows))

    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "Dataset card"),
        element("style", _STYLE),
    )
    body = element(
        "body",
        element("h1", "Dataset card"),
        table(card.facts),
        element("h2", "History lengths"),
        _bars(card.lengths),
        element("h2", "Made from"),
        element("ul", *(element("li", name) for name in card.files)),
        element("p", "Hashes are in ", element("code", "manifest.json"), ". Settings:"),
        element("pre", card.settings),
    )
    return render(element("html", head, body, lang="en"))


def _bars(lengths: Iterable[tuple[str, str, str]]) -> Any:
    """Return the history lengths with bars that are as long as the page is wide."""
    rows = [element("tr", *(element("td", name) for name in ("items", "users", "")))]
    for label, count, bar in lengths:
        drawn = element("span", class_="bar", style=f"width:{100 * len(bar) / _LONGEST_BAR:.0f}%")
        rows.append(element("tr", element("td", label), element("td", count), element("td", drawn)))
    return element("table", *rows, class_="lengths")
