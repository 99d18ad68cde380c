"""The page: what was compared, what the numbers show, and what they do not show."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from statistics import mean
from xml.etree.ElementTree import Element

import yaml

from prism_rec.comparison.comparison import Arm, Comparison
from prism_rec.comparison.findings import findings
from prism_rec.comparison.in_words import results_in_words
from prism_rec.comparison.plan import cell_folder
from prism_rec.comparison.report.figures import (
    accuracy,
    component_map,
    curves,
    differences,
    gates,
    sensitivity,
    slices,
)
from prism_rec.comparison.report.sweeps import find_sweeps
from prism_rec.comparison.result import CellResult
from prism_rec.comparison.table import (
    accuracy_cells,
    candidates_of,
    columns_of,
    cost_cells,
    loss_of,
    reach_cells,
)
from prism_rec.errors import DataError, FolderError
from prism_rec.explain.component_map import ComponentMap, map_run
from prism_rec.files import write_text_atomically
from prism_rec.markup import Content, element, render

HOW_TO_READ = (
    "Intervals are 95 % bootstrap intervals over the test users, with seeds averaged. They say how far a number would "
    "move with other users of the same kind. They say nothing about other seeds, another split, or other data. The "
    "p-values come from paired permutation tests over users (and, with five seeds or more, from paired t-tests over "
    "seeds). They are corrected for all tests of this page by Holm (chance of any false finding) and by Benjamini and "
    "Hochberg (share of false findings). A model that is chosen by these test numbers needs new test data."
)


Maps = Mapping[tuple[str, str], ComponentMap | DataError | FolderError]
"""By data and model: a map of the components, or why there is none."""

HOW_TO_READ_WEIGHTS = (
    "The weights of the components after each test user's last item. The histogram counts users by weight, each user "
    "once per seed. The dot is the mean, and the line covers the middle 90 % of the users; with several seeds, both "
    "are averages over seeds. The weights of a user sum to one, and the id always has weight 1. A weight is not a "
    "contribution, because components differ in size."
)
HOW_TO_READ_MAPS = (
    "A dot is one component of one item. t-SNE lays the components out in two dimensions by their cosines: neighbours "
    "are alike, and far distances mean nothing. The silhouette is measured before the layout: 1 if the components of "
    "an expert are alike and unlike the others, 0 if they lie among the others. Experts are apart even before "
    "training, because each has its own weights. To see what the interaction losses add, compare with a model whose "
    "lambdas are 0."
)
SHOWN_AT_ONCE = 3
"""Further figures of one kind are folded."""


def write_report(comparison: Comparison, out: Path) -> None:
    """Write a comparison as one HTML file, `report.html`, without external scripts, fonts or pictures.

    Call it with the folder `locked`.

    Args:
        comparison: a finished comparison.
        out: the folder of the comparison; maps of components are drawn from the runs in it.
    """
    page = render(make_page(comparison, _map_first_seeds(comparison, out)))
    write_text_atomically(out / "report.html", page)


def _map_first_seeds(comparison: Comparison, out: Path) -> Maps:
    maps: dict[tuple[str, str], ComponentMap | DataError | FolderError] = {}
    for arm in comparison.arms:
        first = arm.results[0]
        if first.gate and len(first.gate.components) > 1:
            try:
                maps[arm.data, arm.model] = map_run(cell_folder(out, arm.data, arm.model, first.seed))
            except (DataError, FolderError) as error:  # the run may be gone; its numbers are still right
                maps[arm.data, arm.model] = error
    return maps


def make_page(comparison: Comparison, maps: Maps) -> Element:
    """Return the document."""
    title = f"{', '.join(comparison.recipe.models)} on {', '.join(comparison.recipe.data)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", read_style()),
    )
    sections = [section for data in comparison.recipe.data for section in _of_data(comparison, data, maps)]
    body = element("body", element("h1", title), *_opening(comparison), *sections, *_settings(comparison))
    return element("html", head, body, lang="en")


def read_style() -> str:
    """Return the style sheet."""
    return files("prism_rec.comparison.report").joinpath("style.css").read_text(encoding="utf-8")


def _opening(comparison: Comparison) -> list[Content]:
    recipe = comparison.recipe
    trained = _trained(comparison.arms)
    seeds = f"{len(recipe.seeds)} seed{'s' if len(recipe.seeds) > 1 else ''}"
    budget = "budgets differ" if recipe.unequal_budget else "the same budget for all"
    versions = _distinct(trained, "version")
    facts = f"{len(recipe.models)} models, {seeds}, {budget}, whole catalogue ranked; prism-rec {versions}"
    return [
        *(element("p", sentence, class_="result") for sentence in results_in_words(comparison)),
        element("p", facts, class_="soft"),
        element("h2", "What this shows"),
        element("ul", *(element("li", sentence) for sentence in findings(comparison)), class_="findings"),
        element("p", HOW_TO_READ, class_="soft"),
    ]


def _trained(arms: Sequence[Arm]) -> list[CellResult]:
    """Return the results of training, without popularity, which is ranked again each time by this version."""
    return [result for arm in arms for result in arm.results if result.epochs]


def _distinct(results: Sequence[CellResult], name: str) -> str:
    return ", ".join(dict.fromkeys(str(getattr(result, name)) for result in results))


def _of_data(comparison: Comparison, data: str, maps: Maps) -> list[Content]:
    """Return the sections on one dataset; with several, each heading names it."""
    arms, reference = comparison.arms_of(data), comparison.reference
    suffix = f": {data}" if len(comparison.recipe.data) > 1 else ""
    accuracy_rows = [
        {
            "model": arm.model,
            "loss": loss_of(arm),
            "candidates": candidates_of(arm),
            **accuracy_cells(comparison, arm),
        }
        for arm in arms
    ]
    sections: list[Content] = [
        element("h2", f"Accuracy{suffix}"),
        accuracy(comparison, data),
        _table(accuracy_rows),
        _every_metric(arms),
    ]
    if len(arms) > 1:
        sections += [
            element("h2", f"Differences{'' if comparison.recipe.against else f' from {reference}'}{suffix}"),
            differences(comparison, data),
            _tests(comparison, data),
        ]
    sweeps = find_sweeps(arms)
    if sweeps:
        drawn = (sensitivity(comparison, data, sweep) for sweep in sweeps)
        sections += [element("h2", f"Sensitivity{suffix}"), *drawn]
    reached = [{"model": arm.model, **reach_cells(arm.results)} for arm in arms]
    sections += [element("h2", f"How far training came{suffix}"), curves(arms), _table(reached)]
    sections += [element("h2", f"Parts of the users{suffix}"), slices(comparison, data)]
    weighed = gates(arms)
    if weighed:
        sections += [element("h2", f"What the gate attends to{suffix}"), *fold(HOW_TO_READ_WEIGHTS, weighed)]
    mapped = [_map(arm, maps[data, arm.model]) for arm in arms if (data, arm.model) in maps]
    if mapped:
        sections += [element("h2", f"Where the components lie{suffix}"), *fold(HOW_TO_READ_MAPS, mapped)]
    costs = [
        {
            "model": arm.model,
            **cost_cells(arm),
            **_epoch_cell(arm),
            "device": _distinct(arm.results, "device"),
        }
        for arm in arms
    ]
    return [*sections, element("h2", f"Cost{suffix}"), _table(costs), _cost_note(arms)]


def _tests(comparison: Comparison, data: str) -> Element:
    rows = []
    for (place, model, metric), found in comparison.differences.items():
        if place == data:
            gap = found.estimate
            interval = f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})"
            row = {"model": model, "minus": found.reference, "metric": metric, "difference": interval}
            for kind, p_value in (("users", found.users), ("seeds", found.seeds)):
                if p_value:
                    row[f"p over {kind}"] = f"{p_value.raw:.2g}"
                    row[f"{kind}, Holm"] = f"{p_value.holm:.2g}"
                    row[f"{kind}, BH"] = f"{p_value.benjamini_hochberg:.2g}"
            rows.append(row)
    return _table(rows)


def _every_metric(arms: Sequence[Arm]) -> Element:
    rows = [
        {"metric": metric} | {arm.model: f"{_mean_of(arm, metric):.4f}" for arm in arms}
        for metric in arms[0].results[0].test["metrics"]
    ]
    return element("details", element("summary", "Every metric, seeds averaged"), _table(rows))


def _mean_of(arm: Arm, metric: str) -> float:
    return sum(float(result.test["metrics"][metric]) for result in arm.results) / len(arm.results)


def fold(explanation: str, figures: Sequence[Element]) -> list[Element]:
    """Return figures with one explanation; after the first few they are folded."""
    shown = [element("p", explanation, class_="soft"), *figures[:SHOWN_AT_ONCE]]
    rest = figures[SHOWN_AT_ONCE:]
    return [*shown, element("details", element("summary", f"{len(rest)} more"), *rest)] if rest else shown


def _map(arm: Arm, found: ComponentMap | DataError | FolderError) -> Element:
    if isinstance(found, DataError | FolderError):
        return element("p", f"No map of {arm.model}: {found}.", class_="soft")
    return component_map(found, arm.model, arm.results[0].seed)


def _epoch_cell(arm: Arm) -> dict[str, str]:
    seconds = [record.seconds for result in arm.results for record in result.epochs]
    return {"s per epoch": f"{mean(seconds):.2f}"} if seconds else {}


def _cost_note(arms: Sequence[Arm]) -> Element:
    threads = _distinct(_trained(arms), "threads")
    text = (
        f"Means over seeds, {threads} CPU thread{'' if threads == '1' else 's'} per model. Training seconds do not "
        "include validation. Cells that ran next to each other, or next to other work, took longer because of it."
    )
    return element("p", text, class_="soft")


def _settings(comparison: Comparison) -> list[Content]:
    recipe = yaml.safe_dump(comparison.recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    cells = [
        {
            "data": result.data,
            "model": result.model,
            "seed": str(result.seed),
            **reach_cells([result]),
            "seconds": f"{result.training_seconds:.0f}",
        }
        for arm in comparison.arms
        for result in arm.results
    ]
    return [
        element("h2", "How it was made"),
        element("details", element("summary", f"The {len(cells)} runs"), _table(cells)),
        element("details", element("summary", "The recipe"), element("pre", recipe)),
    ]


def _table(rows: Sequence[Mapping[str, str]]) -> Element:
    """Return rows of texts as a table; columns of numbers are aligned to the right."""
    columns = columns_of(rows)
    numeric = {column: all(_is_number(row.get(column, "")) for row in rows) for column in columns}
    kinds = {column: {"class_": "number"} if numeric[column] else {} for column in columns}
    head = element("tr", *(element("th", column, **kinds[column]) for column in columns))
    lines = [
        element("tr", *(element("td", row.get(column, ""), **kinds[column]) for column in columns))
        for row in rows
    ]
    table = element("table", element("thead", head), element("tbody", *lines))
    return element("div", table, class_="scroll")


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] in ("+", "-", "")
