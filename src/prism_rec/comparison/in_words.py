"""The result of a comparison in the words of people who know no metrics."""

from prism_rec.comparison.comparison import Arm, Comparison
from prism_rec.comparison.findings import is_shown
from prism_rec.comparison.recipe import POPULARITY


def results_in_words(comparison: Comparison) -> list[str]:
    """Return one sentence for each model that is compared with another one: how many more users it serves well.

    The metric is the recipe's first recall, which is the share of users whose next item is among the first k; without
    a recall, the first metric.
    """
    metric = next(
        (name for name in comparison.recipe.metrics if name.startswith("recall@")),
        comparison.recipe.metrics[0],
    )
    what = f"hits in the top {metric.partition('@')[2]}" if metric.startswith("recall@") else metric
    arms = {(arm.data, arm.model): arm for arm in comparison.arms}
    sentences = []
    for (data, model, name), found in comparison.differences.items():
        base = comparison.estimates[data, found.reference, metric].mean if name == metric else 0.0
        if not base or POPULARITY in (model, found.reference):
            continue
        place = f"On {data}: " if len(comparison.recipe.data) > 1 else ""
        pair = _name(arms[data, model]), _name(arms[data, found.reference])
        percent = round(100 * found.estimate.mean / base)
        same = what if what == metric else f"number of {what}"
        much = f"the same {same}, to the nearest percent."
        if percent:
            sure = "More than chance over these users." if is_shown(found) else "That may be chance."
            much = f"{percent:+d} % {what}. {sure}"
        sentences.append(f"{place}{pair[0]} against {pair[1]}: {much}")
    return sentences


def _name(arm: Arm) -> str:
    """Return a model's name, and what it reads if that is in its settings."""
    config = arm.results[0].config
    model = config.get("model", {})
    fusion = model.get("fusion", {}).get("kind")
    if fusion is None:
        return arm.model
    modalities = " and ".join(model.get("modalities") or ["all features"])
    controls = {"shuffled": "of other items", "random": "replaced by noise"}
    control = controls.get(config.get("features", "given"))
    features = "ids only" if fusion == "id" else " ".join(filter(None, ("with", modalities, control)))
    return f"{arm.model} ({features})"
