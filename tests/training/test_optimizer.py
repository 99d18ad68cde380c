"""Adam that changes only the ids that a step uses."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from prism_rec.errors import InputError
from prism_rec.training import optimizer as module
from prism_rec.training.checkpoint import TrainingState
from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.optimizer import SparseIdsAdam, make_optimizer
from prism_rec.training.step import TrainStep

ROWS = 6
USED = ((1, 2), (2, 5), (1, 1), (), (5, 2), (2, 1), (1, 5))
"""Rows that the steps use; 3 and 4 are never used."""


class Tiny(TrainStep):
    """Ids and a map, as a step has them."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        torch.manual_seed(0)
        self.model = nn.Module()
        self.model.items = nn.Module()
        self.model.items.ids = nn.Embedding(ROWS, 4, padding_idx=0)
        self.model.device = torch.device("cpu")
        self.map = nn.Linear(4, 3)

    def forward(self, rows: Sequence[int]) -> Tensor:
        return self.map(self.model.items.ids(torch.tensor(rows, dtype=torch.long))).square().sum()


def take(step: Tiny, optimizers: Sequence[torch.optim.Optimizer], used: Sequence[Sequence[int]]) -> None:
    for rows in used:
        step.zero_grad()
        step(rows).backward()
        for one in optimizers:
            one.step()


def test_ids_move_as_those_of_dense_adam_without_momentum() -> None:
    ours, theirs = Tiny(), Tiny()
    first = ours.model.items.ids.weight.detach().clone()
    take(ours, [SparseIdsAdam(ours, lr=0.05)], USED)
    ids = theirs.model.items.ids.weight
    dense = [
        torch.optim.Adam([ids], lr=0.05, betas=(0.0, 0.999)),
        torch.optim.Adam(theirs.map.parameters(), lr=0.05),
    ]
    take(theirs, dense, USED)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-5, atol=1e-6)
    latest = ours.model.items.ids.weight
    assert torch.equal(latest[[0, 3, 4]], first[[0, 3, 4]])
    assert (latest[[1, 2, 5]] != first[[1, 2, 5]]).all()


def test_other_weights_move_as_those_of_adam_bit_for_bit() -> None:
    ours, theirs = Tiny(), Tiny()
    for step in (ours, theirs):
        step.model.items.ids.weight.requires_grad_(False)
    take(ours, [SparseIdsAdam(ours, lr=0.05, fused=True)], USED)
    take(theirs, [torch.optim.Adam(theirs.map.parameters(), lr=0.05, fused=True)], USED)
    assert torch.equal(ours.map.weight, theirs.map.weight)


def test_a_gradient_has_only_the_rows_that_are_used() -> None:
    step = Tiny()
    SparseIdsAdam(step, lr=0.05)
    step((2, 5, 2)).backward()
    gradient = step.model.items.ids.weight.grad
    assert gradient is not None
    assert gradient.coalesce().indices().tolist() == [[2, 5]]


def test_a_restored_state_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole, halves = Tiny(), [Tiny(), Tiny()]
    take(whole, [SparseIdsAdam(whole, lr=0.05)], USED)
    states = []
    for half, used in zip(halves, (USED[:3], USED[3:]), strict=True):
        optimizer = SparseIdsAdam(half, lr=0.05)
        states.append(TrainingState(half, optimizer, torch.device("cpu")))
        if len(states) == 2:
            states[0].save(tmp_path / "state", {})
            states[1].restore(tmp_path / "state")
        take(half, [optimizer], used)
    for name, weights in whole.state_dict().items():
        assert torch.equal(halves[1].state_dict()[name], weights)


def test_objectives_that_use_every_id_and_settings_that_need_every_id_are_refused() -> None:
    with pytest.raises(InputError, match="objective cross_entropy uses every id in every step"):
        RunConfig.parse({"train": {"sparse_ids": True}})
    for name, value in (("weight_decay", 0.1), ("gradient_clip", 1.0)):
        with pytest.raises(InputError, match=f"every step needs all ids for `train.{name}`"):
            TrainConfig.parse({"sparse_ids": True, name: value})


def test_several_processes_on_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Tiny()
    monkeypatch.setattr(module, "processes", SimpleNamespace(world=lambda: 2))
    config = TrainConfig(sparse_ids=True)
    assert isinstance(make_optimizer(step, config), SparseIdsAdam)
    monkeypatch.setattr(step, "parameters", lambda: iter([SimpleNamespace(device=torch.device("cuda"))]))
    with pytest.raises(InputError, match=r"GPUs of several processes cannot exchange .*`train.sparse_ids`"):
        make_optimizer(step, config)
