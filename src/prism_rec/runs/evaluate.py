"""The stage `evaluate`: a run's metrics on data that it was not trained on."""

from pathlib import Path
from typing import Any, Literal

from prism_rec.data.dataset import Dataset
from prism_rec.errors import BusyError
from prism_rec.evaluation.metrics import summarise
from prism_rec.evaluation.questions import answer
from prism_rec.evaluation.report import report
from prism_rec.events import Events
from prism_rec.inputs import checked
from prism_rec.machine import explain
from prism_rec.rank import PopularityRanker, Seen
from prism_rec.rank.seen import say_repeats
from prism_rec.runs.ensemble import Ensemble
from prism_rec.runs.load import load_run
from prism_rec.runs.run import Run

TASK = "ranking"
"""Name of the task that `evaluate` reports to its events."""


@checked
def evaluate(
    run: Run | Ensemble | Path | str,
    part: Literal["test", "validation"] = "test",
    *,
    device: str = "auto",
    events: Events = Events(),
) -> dict[str, Any]:
    """Rank the whole catalogue for every user, as the run recommends, and measure where the target is.

    The rank of each user's target and the best 50 items are written to the run's folder (`evaluation-PART.npz`), so
    that runs can be compared user by user. If the file cannot be written, a note says so.

    Args:
        run: a run, an ensemble, or the folder of one.
        part: which targets are ranked.
        device: where a folder is loaded: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        events: progress and notes.

    Returns:
        `part`, the number of `users`, `seen` of the run, the share of `repeated_targets`, `metrics` by name,
        `intervals` with the 95 % interval over users of every accuracy metric, `slices` with the same by part of the
        users, and `popularity` with the metrics of the most popular items for the same users; JSON values only.

    Raises:
        FolderError: the folder is not a finished run, or is damaged.
        DataError: the run's data has no such targets.
    """
    loaded = load_run(run, device) if isinstance(run, Path | str) else run
    loaded.dataset.require_targets(part)
    events.begin(TASK)
    evaluation = answer(loaded.ranker(), loaded.dataset.queries(part))
    try:
        evaluation.save(loaded.folder.evaluation(part))
    except (OSError, BusyError) as error:  # the numbers are worth more than the file
        events.note(f"the ranks are not stored: {explain(error) or error}")
    found = report(loaded.dataset, part, evaluation, loaded.seen)
    found["popularity"] = _popularity(loaded.dataset, part, loaded.seen)
    if note := say_repeats(found["repeated_targets"], part, loaded.seen):
        events.note(f"note: {note}")
    events.end(TASK)
    return found


def _popularity(dataset: Dataset, part: Literal["test", "validation"], seen: Seen) -> dict[str, float]:
    """Return the metrics of items ranked by the number of their training events."""
    ranker = PopularityRanker(dataset.training(), dataset.number_of_items, seen)
    evaluation = answer(ranker, dataset.queries(part))
    events_N = dataset.training().counts(dataset.number_of_items)
    return summarise(evaluation.ranks, evaluation.top, events_N, dataset.number_of_items)
