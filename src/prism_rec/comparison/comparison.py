"""The numbers of a comparison: means over seeds, intervals over users, paired tests, slices, costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from prism_rec.comparison.plan import Cell
from prism_rec.comparison.popularity import rank_by_popularity
from prism_rec.comparison.recipe import POPULARITY, Recipe
from prism_rec.comparison.result import CellResult, load_result
from prism_rec.data.dataset import Dataset
from prism_rec.errors import FolderError
from prism_rec.evaluation.intervals import Estimate, estimate
from prism_rec.evaluation.metrics import ACCURACY_NAMES, METRICS
from prism_rec.evaluation.report import standard_slices
from prism_rec.evaluation.results import Evaluation
from prism_rec.evaluation.significance import benjamini_hochberg, holm, permutation_test, t_test
from prism_rec.evaluation.slices import Slice
from prism_rec.rank import Seen
from prism_rec.runs.folder import RunFolder

SEEDS_FOR_A_TEST = 5
"""With fewer seeds, differences between seeds are not tested."""


@dataclass(frozen=True)
class PValue:
    """A p-value, with corrections for all tests of its kind in the table."""

    raw: float
    """Without correction."""
    holm: float
    """Corrected for the chance of any false finding."""
    benjamini_hochberg: float
    """Corrected for the share of false findings."""


@dataclass(frozen=True)
class Difference:
    """A model's metric minus its reference's, user by user."""

    reference: str
    """Name of the reference."""
    estimate: Estimate
    """The mean over users with its interval."""
    users: PValue
    """Permutation test over users."""
    seeds: PValue | None
    """Paired t-test over seeds; None with fewer than five."""


@dataclass(frozen=True, eq=False)
class Arm:
    """One model on one dataset, with all seeds."""

    data: str
    """Name of the dataset."""
    model: str
    """Name of the model."""
    results: tuple[CellResult, ...]
    """One result per seed; only one if no seed matters."""
    ranks_SQ: np.ndarray
    """The rank of each user's target with each seed, S seeds and Q users."""

    def values(self, metric: str) -> np.ndarray:
        """Return a metric for each user, averaged over seeds."""
        return np.asarray(self._by_seed(metric).mean(0))

    def seed_means(self, metric: str) -> np.ndarray:
        """Return a metric for each seed, averaged over users."""
        return np.asarray(self._by_seed(metric).mean(1))

    def spread(self, metric: str) -> float | None:
        """Return the standard deviation over seeds; None if there is only one result."""
        return stdev(self.seed_means(metric).tolist()) if len(self.results) > 1 else None

    def cost(self, name: str) -> float:
        """Return the mean over seeds of a field of the results, such as `training_seconds` or `best_epoch`."""
        return mean(float(getattr(result, name)) for result in self.results)

    def _by_seed(self, metric: str) -> np.ndarray:
        name, _, k = metric.partition("@")
        return METRICS[name](self.ranks_SQ.ravel(), int(k)).reshape(self.ranks_SQ.shape)


@dataclass(frozen=True, eq=False)
class SliceOfUsers:
    """A part of the users, with the metrics of every model."""

    name: str
    """Short name, such as `history:short`."""
    description: str
    """Which users belong to it, for a reader."""
    estimates: dict[str, dict[str, Estimate]]
    """By model, then by metric."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished comparison."""

    recipe: Recipe
    """What was compared."""
    arms: tuple[Arm, ...]
    """The rows of the table, in order."""
    estimates: dict[tuple[str, str, str], Estimate]
    """Means with intervals, by data, model and metric."""
    differences: dict[tuple[str, str, str], Difference]
    """Differences to the reference, by data, model and metric; the reference has none."""
    slices: dict[str, list[SliceOfUsers]]
    """Parts of the users, by data."""

    @property
    def reference(self) -> str:
        """The model that the others are tested against, unless the recipe names another one for a model."""
        assert self.recipe.reference is not None
        return self.recipe.reference

    def arms_of(self, data: str) -> list[Arm]:
        """Return the rows of one dataset."""
        return [arm for arm in self.arms if arm.data == data]


def gather(recipe: Recipe, cells: Sequence[Cell], out: Path) -> Comparison:
    """Read finished cells, rank by popularity if the recipe says so, and compute the numbers.

    Raises:
        FolderError: a cell has no result.
    """
    arms, slices = [], {}
    for data, source in recipe.data.items():
        dataset = Dataset.load(source)
        slices[data] = standard_slices(dataset, "test")
        for model in recipe.models:
            arms.append(_arm([cell for cell in cells if (cell.data, cell.model) == (data, model)]))
        if recipe.popularity:
            seen = cells[0].config.seen_in(dataset)
            folder = out / "cells" / data / POPULARITY
            arms.append(_popularity_arm(data, dataset, folder, seen, len(recipe.seeds)))
    return summarise(recipe, arms, slices)


def summarise(recipe: Recipe, arms: Sequence[Arm], slices: Mapping[str, Sequence[Slice]]) -> Comparison:
    """Compute the numbers of a comparison.

    Args:
        recipe: what was compared; it names its reference.
        arms: in the order of the table.
        slices: parts of the test users, by data.
    """
    estimates = {
        (arm.data, arm.model, metric): estimate(arm.values(metric))
        for arm in arms
        for metric in ACCURACY_NAMES
    }
    sliced = {
        data: [
            _slice_arms(part, [arm for arm in arms if arm.data == data], recipe.metrics)
            for part in parts
            if part.members.any()
        ]
        for data, parts in slices.items()
    }
    return Comparison(recipe, tuple(arms), estimates, _differences(recipe, arms), sliced)


def _arm(cells: Sequence[Cell]) -> Arm:
    results, ranks = [], []
    for cell in cells:
        result = load_result(cell.folder)
        if result is None:
            raise FolderError(f"{cell.folder} has no result; run the same comparison again to make it")
        results.append(result)
        ranks.append(Evaluation.load(RunFolder(cell.folder).ranks).ranks)
    return Arm(cells[0].data, cells[0].model, tuple(results), np.stack(ranks))


def _popularity_arm(data: str, dataset: Dataset, folder: Path, seen: Seen, seeds: int) -> Arm:
    result = rank_by_popularity(data, dataset, folder, seen)
    ranks = Evaluation.load(RunFolder(folder).ranks).ranks
    return Arm(data, POPULARITY, (result,), np.broadcast_to(ranks, (seeds, len(ranks))))


def _differences(recipe: Recipe, arms: Sequence[Arm]) -> dict[tuple[str, str, str], Difference]:
    rows = {(arm.data, arm.model): arm for arm in arms}
    tested = [
        (arm, rows[arm.data, reference], metric)
        for arm in arms
        if (reference := recipe.reference_of(arm.model))
        for metric in recipe.metrics
    ]
    over_users = _correct(
        [permutation_test(arm.values(metric), other.values(metric)) for arm, other, metric in tested]
    )
    over_seeds: Sequence[PValue | None] = [None] * len(tested)
    if len(recipe.seeds) >= SEEDS_FOR_A_TEST:
        over_seeds = _correct(
            [t_test(arm.seed_means(metric), other.seed_means(metric)) for arm, other, metric in tested]
        )
    return {
        (arm.data, arm.model, metric): Difference(
            other.model,
            estimate(arm.values(metric) - other.values(metric)),
            over_users[number],
            over_seeds[number],
        )
        for number, (arm, other, metric) in enumerate(tested)
    }


def _correct(p_values: Sequence[float]) -> list[PValue]:
    if not p_values:
        return []
    raw = np.array(p_values)
    return [
        PValue(*map(float, values)) for values in zip(raw, holm(raw), benjamini_hochberg(raw), strict=True)
    ]


def _slice_arms(part: Slice, arms: Sequence[Arm], metrics: Sequence[str]) -> SliceOfUsers:
    estimates = {
        arm.model: {metric: estimate(arm.values(metric)[part.members]) for metric in metrics} for arm in arms
    }
    return SliceOfUsers(part.name, part.description, estimates)
