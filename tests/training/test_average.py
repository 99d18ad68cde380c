from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from prism_rec.data.histories import Histories
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.cross_entropy import CrossEntropy
from prism_rec.training.average import WeightAverage
from prism_rec.training.checkpoint import load_tensors
from prism_rec.training.config import TrainConfig
from prism_rec.training.loop import EpochRecord, fit


def test_it_is_the_moving_average_and_the_latest_weights_come_back() -> None:
    model = nn.Linear(2, 1, bias=False)
    weights = [torch.tensor([[a, 2 * a]]) for a in (1.0, 3.0, -2.0)]
    model.weight.data.copy_(weights[0])
    average = WeightAverage(model, 0.75)
    expected = weights[0]
    for weight in weights[1:]:
        model.weight.data.copy_(weight)
        average.update(model)
        expected = 0.75 * expected + 0.25 * weight
    with average.applied(model):
        torch.testing.assert_close(model.weight.data, expected)
    assert torch.equal(model.weight.data, weights[-1])


def train(
    folder: Path, average: float, stop_after: int | None = None
) -> tuple[SequenceRecommender, list[torch.Tensor]]:
    """Train a tiny model for three epochs; return it and its id table as each validation saw it."""
    torch.manual_seed(0)
    model = ModelConfig.parse({"width": 4, "max_length": 3}).build(6, {})
    histories = Histories.from_lists([[1, 2, 3], [4, 5, 6], [2, 4, 1]])
    seen: list[torch.Tensor] = []

    def validate(model: SequenceRecommender) -> dict[str, float]:
        seen.append(model.items.ids.weight.detach().clone())
        return {"ndcg@10": float(len(seen))}

    def stop(records: list[EpochRecord]) -> None:
        if len(records) == stop_after:
            raise KeyboardInterrupt

    config = TrainConfig(epochs=3, batch_size=1, learning_rate=0.1, average=average)
    folder.mkdir(exist_ok=True)
    with suppress(KeyboardInterrupt):
        fit(model, CrossEntropy(), histories, config, validate, folder / "last", folder / "best", stop)
    return model, seen


def test_averaged_weights_are_validated_saved_and_left_in_the_model(tmp_path: Path) -> None:
    model, seen = train(tmp_path / "average", 0.5)
    assert torch.equal(load_tensors(tmp_path / "average/best")[0]["items.ids.weight"], seen[-1])
    assert torch.equal(model.items.ids.weight, seen[-1])
    _, plain = train(tmp_path / "plain", 0.0)
    assert not torch.equal(plain[-1], seen[-1])


def test_an_interrupted_run_continues_with_its_average(tmp_path: Path) -> None:
    _, whole = train(tmp_path / "whole", 0.9)
    train(tmp_path / "parts", 0.9, stop_after=2)
    _, rest = train(tmp_path / "parts", 0.9)
    assert torch.equal(rest[-1], whole[-1])
