from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import prism_rec
from prism_rec.cli.app import run
from prism_rec.data.bag import Table
from prism_rec.data.dataset import Dataset
from prism_rec.data.split import NoSplit
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.model.similar import nearest
from prism_rec.planning import plan as planning
from prism_rec.planning.plan import Plan, count_parameters
from prism_rec.planning.probe import SomeBatches, probe
from prism_rec.training.config import RunConfig


@pytest.mark.parametrize(("key", "command"), [("models", "compare"), ("base", "compare"), ("tune", "tune")])
def test_a_recipe_of_another_command_is_named(tmp_path: Path, key: str, command: str) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"{key}: {{}}\n")
    with pytest.raises(InputError, match=f"is a recipe of `{command}`; `plan` takes the settings of one run"):
        run(["plan", str(recipe), "--data", str(tmp_path)])


CONFIG = RunConfig.parse(
    {
        "model": {"width": 8, "max_length": 5, "fusion": {"kind": "prism_experts"}},
        "train": {"epochs": 7, "validate_every": 2, "batch_size": 4},
    }
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(12), 5),
            "item_id": np.concatenate([random.permutation(8)[:5] for _ in range(12)]),
        }
    )
    vectors = random.standard_normal((8, 6)).astype(np.float32)
    features = {name: (vectors, list(range(8))) for name in ("image", "text")}
    Dataset.from_frame(log, features=features, time="order").save(tmp_path / "data")
    return tmp_path / "data"


def test_weights_are_counted_without_making_them(data: Path) -> None:
    dataset = Dataset.load(data)
    model = CONFIG.model.build(dataset.number_of_items, dataset.features)
    assert count_parameters(CONFIG, dataset) == sum(weight.numel() for weight in model.parameters())


def test_no_neighbours_are_searched_to_count_the_weights_of_the_term_of_similar_items(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig.parse(
        {"model": {"width": 8, "fusion": {"kind": "sum"}, "similar": {"neighbours": 2, "lags": 3}}}
    )
    dataset = Dataset.load(data)
    model = config.model.build(dataset.number_of_items, dataset.features)
    searched = []

    def search(features: Mapping[str, Table], neighbours: int) -> tuple[torch.Tensor, torch.Tensor]:
        searched.append({len(table.present) for table in features.values()})
        return nearest(features, neighbours)

    monkeypatch.setattr("prism_rec.model.similar.nearest", search)
    assert count_parameters(config, dataset) == sum(weight.numel() for weight in model.parameters())
    assert searched == [{1}]


def test_an_epoch_is_all_of_its_steps(data: Path) -> None:
    whole, short = probe(CONFIG, data), probe(CONFIG, data, seconds=0)
    assert whole.batches == short.batches == 3
    assert min(whole.epoch_seconds, short.epoch_seconds, whole.validation_seconds) > 0
    assert whole.checkpoint_bytes == short.checkpoint_bytes


def test_a_trial_takes_a_least_number_of_steps_however_slow_they_are() -> None:
    class Ten:
        share = 1.0

        def __len__(self) -> int:
            return 10

        def epoch(self, number: int) -> Iterator[torch.Tensor]:
            return iter(torch.arange(10))

    assert len(list(SomeBatches(Ten(), 10, -1).epoch(1))) == 1
    assert len(list(SomeBatches(Ten(), 10, -1, least=6).epoch(1))) == 6
    assert len(list(SomeBatches(Ten(), 3, -1, least=6).epoch(1))) == 3


def test_a_trial_begins_as_training_does(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned = []
    monkeypatch.setattr(SequenceRecommender, "begin_fusion", lambda model: learned.append(model))
    assert probe(CONFIG, data, seconds=0).start_seconds > 0
    assert len(learned) == 1


@pytest.mark.slow
def test_a_plan_says_what_training_takes(data: Path, tmp_path: Path) -> None:
    planned = prism_rec.plan(CONFIG, data, device="cpu", threads=1)
    assert planned.epochs == 7
    assert planned.seconds >= 7 * planned.epoch_seconds + 4 * planned.validation_seconds
    assert planned.memory > 50e6, "PyTorch itself takes more"
    run = prism_rec.train(CONFIG, tmp_path / "run", data=data)
    written = sum(path.stat().st_size for path in run.folder.path.rglob("*") if path.is_file())
    assert written <= planned.disk + 10_000, "the log and the settings are not counted"
    assert not [path for path in tmp_path.iterdir() if path.name not in ("data", "run")], "nothing is kept"


def test_data_without_questions_takes_no_time_for_validation(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(Dataset.load(data), rule=NoSplit()).save(tmp_path / "whole")
    measured = probe(CONFIG, tmp_path / "whole", "cpu")
    assert measured.validation_seconds == 0
    planned = Plan(**dict.fromkeys(Plan.model_fields, 1) | {"device": "cpu", "validation_seconds": 0})
    monkeypatch.setattr(planning, "plan", lambda *_, **__: planned)
    (tmp_path / "run.yaml").write_text("{}")
    run(["plan", str(tmp_path / "run.yaml"), "--data", str(data)])
    said = capsys.readouterr().out
    assert "no validation" in said
    assert "patience" not in said


def test_what_does_not_fit_is_refused_before_it_is_made(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "free_memory", lambda device: 1000)
    with pytest.raises(
        InputError, match=r"^[\d,]+ weights with gradients and moments take 0 MB, and cpu has"
    ):
        planning.plan(CONFIG, data, device="cpu")


@pytest.mark.slow
def test_a_trial_that_fails_says_why(tmp_path: Path) -> None:
    log = pl.DataFrame({"user_id": np.repeat(np.arange(4), 3), "item_id": np.tile(np.arange(3), 4)})
    Dataset.from_frame(log, time="order").save(tmp_path / "data")
    config = RunConfig.parse({"model": {"width": 8, "max_length": 5}})
    with pytest.raises(InputError, match="a short trial of these settings failed: .* has two items"):
        planning.plan(config, tmp_path / "data", device="cpu")


def test_there_is_memory() -> None:
    assert planning.free_memory(torch.device("cpu")) > 1 << 20
