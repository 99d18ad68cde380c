"""What a comparison shows and what it does not show, in sentences that claim no more than its intervals."""

from collections.abc import Sequence

from prism_rec.comparison.comparison import SEEDS_FOR_A_TEST, Comparison, Difference
from prism_rec.comparison.recipe import POPULARITY
from prism_rec.comparison.result import CellResult, as_share
from prism_rec.rank.seen import say_repeats

LEVEL = 0.05
SMALL = 0.05
"""A difference that is often claimed in papers, as a share of the reference's metric."""


def is_shown(difference: Difference) -> bool:
    """Return whether a difference is more than chance over users and, if there are enough seeds, over seeds.

    The p-values are corrected for the other tests of the table.
    """
    over_seeds = difference.seeds is None or difference.seeds.holm < LEVEL
    return _over_users(difference) and over_seeds


def _over_users(difference: Difference) -> bool:
    interval = difference.estimate
    return (interval.low > 0 or interval.high < 0) and difference.users.holm < LEVEL


def resolution(comparison: Comparison, data: str, metric: str) -> float | None:
    """Return half the width of the widest interval of a difference, as a share of the reference's metric.

    Differences to popularity are left out, because they are wider than those between models. None if there is no other
    model, or if a reference's metric is zero.
    """
    halves = [
        (
            (found.estimate.high - found.estimate.low) / 2,
            comparison.estimates[data, found.reference, metric].mean,
        )
        for (place, model, name), found in comparison.differences.items()
        if (place, name) == (data, metric) and POPULARITY not in (model, found.reference)
    ]
    return max(half / base for half, base in halves) if halves and all(base for _, base in halves) else None


def findings(comparison: Comparison) -> list[str]:
    """Return the sentences.

    The first ones are about how far training came and about the seeds, because everything else depends on them. The
    others are about the first metric of the recipe, dataset by dataset.
    """
    found = [sentence for data in comparison.recipe.data for sentence in _on_data(comparison, data)]
    results = [result for arm in comparison.arms for result in arm.results if result.epochs]
    return [_on_reach(results), _on_seeds(comparison.recipe.seeds), *_on_mixture(results), *found]


def _on_data(comparison: Comparison, data: str) -> list[str]:
    metric = comparison.recipe.metrics[0]
    users = comparison.estimates[data, comparison.reference, metric].queries
    sentences = [
        _on_difference(found, model, metric, data) + _on_losses(comparison, data, model, found.reference)
        for (place, model, name), found in comparison.differences.items()
        if (place, name) == (data, metric)
    ]
    sentences += _on_popularity(comparison, data, metric)
    sentences += _on_repeats(comparison, data)
    share = resolution(comparison, data, metric)
    if share is not None:
        small = f": models that differ by {SMALL:.0%} cannot be separated" if share > SMALL else ""
        base = "the reference" if comparison.recipe.against else comparison.reference
        sentences.append(
            f"With {users:,} users, the widest interval reaches {share:.0%} of {base}'s {metric} to either side{small}."
        )
    return sentences


def _on_difference(found: Difference, model: str, metric: str, data: str) -> str:
    interval = found.estimate
    seeds = f" over users, {found.seeds.holm:.2g} over seeds" if found.seeds else ""
    numbers = (
        f"{data}, {metric}: {model} - {found.reference} = {interval.mean:+.4f} "
        f"({interval.low:+.4f} to {interval.high:+.4f}), Holm p {found.users.holm:.2g}{seeds}"
    )
    if not _over_users(found):
        return f"{numbers}: no difference is shown."
    if not is_shown(found):
        return f"{numbers}: more than chance over users, but not over seeds."
    end = " and seeds." if seeds else "; results with other seeds are not known."
    return f"{numbers}: more than chance over users{end}"


def _on_popularity(comparison: Comparison, data: str, metric: str) -> list[str]:
    """Return a sentence if models are worse than popularity, which needs no model."""
    if not comparison.recipe.popularity:
        return []
    bar = comparison.estimates[data, POPULARITY, metric].mean
    below = [
        arm.model
        for arm in comparison.arms_of(data)
        if arm.model != POPULARITY and comparison.estimates[data, arm.model, metric].mean < bar
    ]
    return [f"{data}, {metric}: below popularity ({bar:.4f}) are {', '.join(below)}."] if below else []


def _on_repeats(comparison: Comparison, data: str) -> list[str]:
    """Return a sentence if users come back to items."""
    test = comparison.arms_of(data)[0].results[0].test
    line = say_repeats(test.get("repeated_targets", 0.0), "test", test.get("seen", "remove"))
    return [f"{data}: {line}."] if line else []


def _on_losses(comparison: Comparison, data: str, model: str, reference: str) -> str:
    """Return a warning if two models differ in their losses too; a row without training has no loss."""
    results = {arm.model: arm.results[0] for arm in comparison.arms_of(data) if arm.results[0].epochs}
    if model not in results or reference not in results:
        return ""
    one, other = results[model], results[reference]
    if one.config["objective"] == other.config["objective"]:
        return ""
    how = f"{one.loss} against {other.loss}" if one.loss != other.loss else f"two settings of {one.loss}"
    return f" Their losses differ ({how}), so it may come from the losses and not from the models."


def _on_reach(results: Sequence[CellResult]) -> str:
    cut = [result for result in results if result.stopped_by == "epochs"]
    rising = sum(result.was_improving for result in cut)
    if cut:
        text = (
            f"{len(cut)} of {len(results)} cells still had patience when the epochs ended, and {rising} were best in "
            "the last epoch: more epochs might change the order."
        )
    else:
        text = f"Each of the {len(results)} cells trained until its patience ran out."
    trials = max(result.search_trials for result in results)
    if trials:
        text += f" Each model's settings were chosen by validation in {trials} trials."
    shares = [result.share for result in results]
    if min(shares) == 1:
        return text
    part = " to ".join(dict.fromkeys(as_share(share) for share in (min(shares), max(shares))))
    return f"{text} An epoch had {part} of the training examples."


def _on_mixture(results: Sequence[CellResult]) -> list[str]:
    """Return a warning if cells were made in several ways, for instance on several machines."""
    made = {
        name: list(dict.fromkeys(str(getattr(result, name)) for result in results))
        for name in ("version", "device", "threads")
    }
    mixed = [f"{name} ({', '.join(values)})" for name, values in made.items() if len(values) > 1]
    if not mixed:
        return []
    return [
        f"Not all cells were made in the same way: they differ in {' and '.join(mixed)}. Their seconds cannot be "
        "compared, and a difference between models may come from this."
    ]


def _on_seeds(seeds: Sequence[int]) -> str:
    if len(seeds) >= SEEDS_FOR_A_TEST:
        return f"{len(seeds)} seeds; every interval is over users, the seeds averaged."
    number = "One seed is" if len(seeds) == 1 else f"{len(seeds)} seeds are"
    return f"{number} too few to test over seeds ({SEEDS_FOR_A_TEST} are needed), and no model is claimed to win."
