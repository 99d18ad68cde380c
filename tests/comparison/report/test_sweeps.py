from dataclasses import replace

import numpy as np

from comparison.made_up import compare_ranks
from prism_rec.comparison.comparison import Arm
from prism_rec.comparison.report.sweeps import find_sweeps
from prism_rec.training import RunConfig


def arm(name: str, **fusion: object) -> Arm:
    made = compare_ranks({name: [[1, 2, 3]]}).arms[0]
    config = RunConfig.parse({"model": {"fusion": {"kind": "prism_experts", **fusion}}}).model_dump(
        mode="json"
    )
    return replace(made, results=tuple(each.model_copy(update={"config": config}) for each in made.results))


def weights(synergy: float, redundancy: float = 0.1) -> dict[str, object]:
    return {"lambdas": {"synergy": synergy, "redundancy": redundancy}}


def test_a_star_of_settings_is_a_sweep_of_each_through_its_middle() -> None:
    middle = arm("middle", **weights(0.1))
    synergy = [arm(f"synergy-{value:g}", **weights(value)) for value in (1.0, 0.01)]
    redundancy = [arm(f"redundancy-{value:g}", **weights(0.1, value)) for value in (0.5, 0.2, 1.0)]
    sweeps = find_sweeps([middle, *synergy, *redundancy])
    assert {sweep.setting: sweep.values for sweep in sweeps} == {
        "model.fusion.lambdas.synergy": (0.01, 0.1, 1.0),
        "model.fusion.lambdas.redundancy": (0.1, 0.2, 0.5, 1.0),
    }
    models = {sweep.setting: [arm.model for arm in sweep.arms] for sweep in sweeps}
    assert models["model.fusion.lambdas.synergy"] == ["synergy-0.01", "middle", "synergy-1"]


def test_two_values_or_two_differences_are_no_sweep() -> None:
    assert find_sweeps([arm("one", **weights(0.1)), arm("other", **weights(0.2))]) == []
    assert find_sweeps([arm(f"m{value:g}", **weights(value, value)) for value in (0.1, 0.2, 0.3)]) == []
    other_words = [arm(f"{mask}", mask=mask) for mask in ("random", "mean", "zero")]
    assert find_sweeps(other_words) == []


def test_models_without_settings_are_left_out() -> None:
    popularity = compare_ranks({"popularity": [[1, 2, 3]]}).arms[0]
    bare = replace(
        popularity,
        results=(popularity.results[0].model_copy(update={"config": {}}),),
        ranks_SQ=np.ones((1, 3)),
    )
    assert find_sweeps([bare, bare, bare]) == []
