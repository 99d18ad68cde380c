"""The stage `ensemble`: combines finished runs into one that adds their scores; validation chooses the weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from prism_rec.data.dataset import Dataset
from prism_rec.errors import DataError, InputError
from prism_rec.evaluation.metrics import METRICS
from prism_rec.events import Events
from prism_rec.files import hash_file, locked
from prism_rec.folders import check_empty, check_folder
from prism_rec.inputs import checked
from prism_rec.rank import NEVER, CatalogueRanker, EnsembleRanker
from prism_rec.rank.ordering import rank_of
from prism_rec.records import UNFINISHED
from prism_rec.runs.ensemble import STAGE, Ensemble, EnsembleConfig, Member, as_member
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.run import Run

TASK = "weights"
SHARES = np.linspace(0, 1, 21)
"""Shares of a further run that are tried."""
MOST_USERS = 1_000


@checked
def ensemble(
    runs: Sequence[Run | Path | str], out: Path | str, *, device: str = "auto", events: Events = Events()
) -> Ensemble:
    """Combine finished runs of the same data into one run that adds their scores.

    The score is sum_r w_r * s_r / c_r. s_r is the score of run r, and c_r its usual spread: the standard deviation over
    the catalogue, as a mean over at most 1,000 validation users. The weights w_r add up to 1. They are chosen by the
    validation metric of the first run: the best run comes first, then each other run, in the given order, gets the best
    of the shares 0, .05, ..., 1. A run that gets the share 0 is left out. Test targets have no influence.

    Args:
        runs: two or more runs or their folders, of the same interactions and items; features may differ by name.
        out: the folder to write: new, empty, or with an ensemble that was not finished. It holds copies of all that is
            needed.
        device: where the runs compute.
        events: hears the weights and their validation metric.

    Returns:
        The ensemble, which `evaluate`, `Recommender`, `serve` and `explore` use like a run.

    Raises:
        FolderError: a run is not finished, or `out` has something in it.
        InputError: fewer than two runs, or runs of other data.
        DataError: the data has no validation targets.
    """
    if len(runs) < 2:
        raise InputError("an ensemble needs two runs or more; name another one")
    out = Path(out)
    check_folder(out, STAGE)
    loaded = [run if isinstance(run, Run) else Run.load(run, device) for run in runs]
    dataset = loaded[0].dataset
    for run in loaded[1:]:
        dataset = _united(dataset, loaded[0], run)
    dataset.require_targets("validation")
    united = [as_member(run, dataset) for run in loaded]
    metric, seen = loaded[0].config.train.metric, loaded[0].seen
    with locked(out):
        if not (out / UNFINISHED).exists():  # what a kill or a full disk left is made again
            check_empty(out, resumes=False)
        found, validation = _weigh(united, dataset, metric, events)
        kept = [(member, run) for member, run in zip(found, united, strict=True) if member.weight > 0]
        config = EnsembleConfig(members=tuple(member for member, _ in kept), metric=metric, seen=seen)
        made = Ensemble(config, dataset, tuple(run for _, run in kept), RunFolder(out))
        parameters = sum(weight.numel() for run in made.members for weight in run.model.parameters())
        made.write(out, dataset, validation={metric: validation}, parameters=parameters)
    return made


def _united(dataset: Dataset, first: Run, run: Run) -> Dataset:
    """Return the data with the features of another run of the same data."""
    other, names = run.dataset, (first.folder.path, run.folder.path)
    for what in ("interactions", "items", "users"):
        if not getattr(dataset, what).equals(getattr(other, what)):
            raise InputError(
                f"{names[1]} has other {what} than {names[0]}; combine runs that were trained on the same data"
            )
    if (dataset.rule, dataset.time) != (other.rule, other.time) or first.seen != run.seen:
        raise InputError(
            f"{names[1]} has another split or `seen` than {names[0]}; combine runs with the same ones"
        )
    for name, table in other.features.items():
        if name in dataset.features and not dataset.features[name].equals(table):
            raise InputError(
                f"{names[1]} has other vectors of {name} than {names[0]}; use the same ones, or other names"
            )
    return replace(
        dataset,
        features={**other.features, **dataset.features},
        encoders={**other.encoders, **dataset.encoders},
        maps={**other.maps, **dataset.maps},
    )


@dataclass(frozen=True)
class _Validation:
    """Ranks of the validation targets for any weights."""

    rankers: list[CatalogueRanker]
    scales: list[float]
    dataset: Dataset
    metric: str

    def __call__(self, weightings: list[list[float]]) -> list[float]:
        """Return the metric for each list of weights."""
        name, k = self.metric.split("@")
        questions = self.dataset.queries("validation")
        used = [place for place in range(len(self.rankers)) if any(weights[place] for weights in weightings)]
        together = EnsembleRanker(
            [(1 / self.scales[place], self.rankers[place].members[0][1]) for place in used]
        )
        factors = [[weights[place] / self.scales[place] for place in used] for weights in weightings]
        totals = np.zeros(len(weightings))
        for rows, users, total_BN in together.scored(questions.histories):
            of_members = [
                ranker.scores(states).clone()
                for (_, ranker), states in zip(together.members, users.of_members, strict=True)
            ]
            targets_B = torch.from_numpy(questions.targets[rows]).to(total_BN.device)
            for place, factor in enumerate(factors):
                total_BN.zero_()
                for share, scores_BN in zip(factor, of_members, strict=True):
                    if share:
                        total_BN.add_(scores_BN, alpha=share)
                if together.seen == "remove":
                    together.mask_seen(total_BN, questions.histories, rows)
                if questions.candidates is not None:
                    together.keep_only(total_BN, questions.candidates)
                gone_B = total_BN.gather(1, targets_B[:, None]).squeeze(1) == -torch.inf
                ranks_B = rank_of(total_BN, targets_B).masked_fill(gone_B, NEVER)
                totals[place] += METRICS[name](ranks_B.cpu().numpy(), int(k)).sum()
        return (totals / len(questions.users)).tolist()


def _weigh(runs: list[Run], dataset: Dataset, metric: str, events: Events) -> tuple[list[Member], float]:
    """Return every run with its weight and scale, and the metric that they give on validation; note all of them."""
    weights, scales, validation = _choose(runs, dataset, metric, events)
    members = []
    for run, weight, scale in zip(runs, weights, scales, strict=True):
        name = run.folder.path.resolve().name
        members.append(Member(run=name, sha256=hash_file(run.folder.best), weight=weight, scale=scale))
        events.note(f"{name}: weight {weight:.3f}{'; left out' if weight == 0 else ''}")
    events.note(f"validation {metric}: {validation:.4f}")
    return members, validation


def _choose(
    runs: list[Run], dataset: Dataset, metric: str, events: Events
) -> tuple[list[float], list[float], float]:
    """Return weights, scales and the metric that they give on validation."""
    rankers: list[CatalogueRanker] = [run.ranker() for run in runs]
    scales = [_scale(ranker, dataset) for ranker in rankers]
    validate, number = _Validation(rankers, scales, dataset, metric), len(runs)
    singles = np.eye(number).tolist()
    events.begin(TASK, number)
    found = [validate([single])[0] for single in singles]
    for run, value in zip(runs, found, strict=True):
        events.note(f"{run.folder.path.resolve().name}: validation {metric} {value:.4f}")
    best = int(np.argmax(found))
    weights, reached = singles[best], found[best]
    events.advance(TASK)
    for place in (place for place in range(number) if place != best):
        tried = [
            [(1 - share) * weight + share * (p == place) for p, weight in enumerate(weights)]
            for share in SHARES
        ]
        values = validate(tried)
        chosen = int(np.argmax(values))
        weights, reached = tried[chosen], values[chosen]
        events.advance(TASK)
    events.end(TASK)
    return weights, scales, reached


def _scale(ranker: CatalogueRanker, dataset: Dataset) -> float:
    """Return the standard deviation of scores over the catalogue, as a mean over validation users."""
    histories = dataset.queries("validation").histories
    rows = np.linspace(0, len(histories) - 1, min(MOST_USERS, len(histories))).astype(int)
    some = histories.prefixes(rows, histories.lengths[rows])
    spreads = [scores_BN[:, 1:].std(1) for _, _, scores_BN in ranker.scored(some)]
    scale = float(torch.cat(spreads).double().mean())
    if not 0 < scale < float("inf"):
        raise DataError("a run gives all items the same score, so it cannot be combined; train it longer")
    return scale
