"""What a run sees of the data's features stays with it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec.data import Dataset
from prism_rec.errors import InputError
from prism_rec.evaluation.questions import answer
from prism_rec.rank import Ranker
from prism_rec.runs.run import Run
from prism_rec.runs.train import train
from prism_rec.training import RunConfig
from prism_rec.training.loop import EpochRecord

USERS, ITEMS, EVENTS = 30, 20, 5


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(USERS), EVENTS),
            "item_id": np.concatenate([random.choice(ITEMS, EVENTS, replace=False) for _ in range(USERS)]),
        }
    )
    vectors = random.normal(size=(ITEMS, 4)).astype(np.float32)
    return Dataset.from_frame(log, features={"text": (vectors, list(range(ITEMS)))}, time="order")


def settings(features: str, epochs: int = 2, seed: int = 0) -> RunConfig:
    return RunConfig.parse(
        {
            "features": features,
            "model": {"width": 8, "max_length": 5, "fusion": {"kind": "sum"}},
            "train": {"epochs": epochs, "seed": seed},
        },
        "here",
    )


@pytest.mark.parametrize("control", ["shuffled", "random"])
def test_a_loaded_run_ranks_with_the_vectors_that_it_learned_from(
    dataset: Dataset, tmp_path: Path, control: str
) -> None:
    run = train(settings(control), tmp_path / "run", data=dataset, device="cpu")
    loaded = Run.load(tmp_path / "run", "cpu")
    learned_from = run.model.items.get_buffer("vectors_0")
    assert torch.equal(loaded.model.items.get_buffer("vectors_0"), learned_from)
    assert not np.array_equal(learned_from.numpy(), dataset.features["text"].vectors)
    questions = dataset.queries("test")
    assert np.array_equal(*(answer(Ranker(model), questions).top for model in (loaded.model, run.model)))


def stop_at_once(records: Sequence[EpochRecord]) -> None:
    raise RuntimeError("stopped")


def test_a_resumed_run_sees_the_same_vectors(dataset: Dataset, tmp_path: Path) -> None:
    alone = train(settings("shuffled"), tmp_path / "alone", data=dataset, device="cpu")
    with pytest.raises(RuntimeError, match="stopped"):
        train(settings("shuffled"), tmp_path / "run", data=dataset, device="cpu", after_epoch=stop_at_once)
    resumed = train(settings("shuffled"), tmp_path / "run", data=dataset, device="cpu")
    weights = alone.model.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in resumed.model.state_dict().items())


def test_each_seed_has_vectors_of_its_own(dataset: Dataset, tmp_path: Path) -> None:
    one, other = (
        train(settings("random", epochs=1, seed=seed), tmp_path / str(seed), data=dataset, device="cpu")
        for seed in (0, 1)
    )
    assert not np.array_equal(one.dataset.features["text"].vectors, other.dataset.features["text"].vectors)


def test_a_run_begun_before_there_was_a_setting_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stopped"):
        train(settings("given"), tmp_path / "run", data=dataset, device="cpu", after_epoch=stop_at_once)
    config = tmp_path / "run" / "config.json"
    written = json.loads(config.read_text())
    del written["features"]
    config.write_text(json.dumps(written))
    with pytest.raises(
        InputError, match="begun with other settings: `features` is given there and random here"
    ):
        train(settings("random"), tmp_path / "run", data=dataset, device="cpu")
    train(settings("given"), tmp_path / "run", data=dataset, device="cpu")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"features": "shuffled"}, "features: shuffled changes nothing with the fusion id"),
        ({"features": "mixed"}, "features: Input should be 'given', 'shuffled' or 'random'"),
    ],
)
def test_a_control_that_controls_nothing_is_refused_in_one_line(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        RunConfig.parse(values, "config.yaml")
    assert "\n" not in str(caught.value)
