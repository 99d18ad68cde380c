"""The report on one ranker's answers, as plain values."""

from dataclasses import asdict
from typing import Any, Literal

from prism_rec.data.dataset import Dataset
from prism_rec.evaluation.intervals import estimate_metrics
from prism_rec.evaluation.metrics import summarise
from prism_rec.evaluation.results import Evaluation
from prism_rec.evaluation.slices import (
    Slice,
    estimate_slices,
    slice_by_history,
    slice_by_popularity,
    slice_by_presence,
)
from prism_rec.rank import Seen


def standard_slices(dataset: Dataset, part: Literal["validation", "test"]) -> list[Slice]:
    """Return the slices of every report: by history, by popularity of the target, by its missing modalities."""
    questions = dataset.queries(part)
    presence = {name: table.present for name, table in dataset.features.items()}
    return [
        *slice_by_history(questions.histories.lengths),
        *slice_by_popularity(questions.targets, dataset.training().counts(dataset.number_of_items)),
        *slice_by_presence(questions.targets, presence),
    ]


def report(
    dataset: Dataset, part: Literal["validation", "test"], evaluation: Evaluation, seen: Seen
) -> dict[str, Any]:
    """Return metrics, their 95 % intervals over users, and both per slice; JSON values only.

    Args:
        dataset: the data that the questions are about.
        part: which questions.
        evaluation: their answers, in the order of the questions.
        seen: whether the items of a history were candidates.
    """
    popularity = dataset.training().counts(dataset.number_of_items)
    slices = standard_slices(dataset, part)
    by_slice = estimate_slices(evaluation.ranks, slices)
    return {
        "part": part,
        "users": len(evaluation.users),
        "seen": seen,
        "repeated_targets": dataset.queries(part).repeated_share,
        "metrics": summarise(evaluation.ranks, evaluation.top, popularity, dataset.number_of_items),
        "intervals": {name: asdict(value) for name, value in estimate_metrics(evaluation.ranks).items()},
        "slices": {
            part.name: {
                "description": part.description,
                **{name: asdict(value) for name, value in by_slice[part.name].items()},
            }
            for part in slices
            if part.name in by_slice
        },
    }
