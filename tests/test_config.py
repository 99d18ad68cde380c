"""Settings that a program makes: the same words as for those of a file."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from prism_rec import Cleaning, ModelConfig, RunConfig, SettingsError, TrainConfig
from prism_rec.config import Config


class Sweep(Config):
    seeds: tuple[int, ...]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrainConfig(epochs="x"), "^TrainConfig: epochs: should be a whole number"),
        (lambda: TrainConfig(epoch=1), "^TrainConfig: unknown key epoch; did you mean epochs"),
        (lambda: TrainConfig(seed=2**63), "^TrainConfig: seed: Input should be less than"),
        (
            lambda: TrainConfig(epochs=10**30),
            r"^TrainConfig: epochs: should be less than 2\*\*63 \(given: 1000",
        ),
        (
            lambda: RunConfig.parse({"train": {"patience": str(2**63)}}),
            "^config: train.patience: should be less than",
        ),
        (lambda: Sweep(seeds=(1, -(2**63))), "^Sweep: seeds: should be less than"),
        (lambda: TrainConfig(seed=np.eye(2)), "^TrainConfig: seed: "),
        (lambda: ModelConfig(fusion={"kind": "prsm"}), "^ModelConfig: fusion.kind: there is no 'prsm'"),
        (lambda: Cleaning(event_types=pl.LazyFrame({"a": [1]})), "^Cleaning: event_types.* Use `select"),
        (lambda: RunConfig(train={"epochs": 0}), "^RunConfig: train.epochs: "),
        (lambda: RunConfig.parse({"train": {"seed": -1}}), "^config: train.seed: "),
        (lambda: RunConfig.parse([1]), "^config: the file: should be a section"),
        (lambda: Cleaning(core=0), "^Cleaning: core: "),
    ],
)
def test_a_wrong_value_is_told_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as told:
        make()
    assert "\n" not in str(told.value)


def test_the_largest_seed_is_taken() -> None:
    assert TrainConfig(seed=2**63 - 1).seed == 2**63 - 1
