import os
from pathlib import Path

import pytest
import torch
from torch import nn

from prism_rec.errors import InputError
from prism_rec.training.checkpoint import TrainingState, load_tensors, save_tensors

TENSORS = {"a": torch.arange(6.0).view(2, 3).T, "b": torch.tensor(7), "none": torch.zeros(0, 2)}
FACTS = {"epoch": 3, "records": [{"loss": 0.1, "name": "日本"}]}


def test_tensors_and_facts_come_back(tmp_path):
    save_tensors(tmp_path / "file", TENSORS, FACTS)
    tensors, facts = load_tensors(tmp_path / "file")
    assert facts == FACTS
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensor, TENSORS[name]) for name, tensor in tensors.items())
    assert os.listdir(tmp_path) == ["file"]


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    save_tensors(tmp_path / "file", TENSORS, FACTS)

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        save_tensors(tmp_path / "file", {"a": torch.ones(3)}, {})
    assert load_tensors(tmp_path / "file")[1] == FACTS


def refused(path) -> str:
    with pytest.raises(InputError, match="missing or damaged") as caught:
        load_tensors(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused_in_one_line(tmp_path, share):
    save_tensors(tmp_path / "file", TENSORS, FACTS)
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(whole[: int(share * len(whole))])
    refused(tmp_path / "file")


def test_other_files_are_refused(tmp_path):
    refused(tmp_path / "missing")
    (tmp_path / "text").write_text("not a checkpoint, though long enough to have a header")
    refused(tmp_path / "text")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder")


def step(module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    module(torch.rand(4, 3)).square().sum().backward()
    optimizer.step()


def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer, TrainingState]:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    return (
        module,
        optimizer,
        TrainingState(module, optimizer, torch.device("cpu")),
    )


def test_weights_moments_and_random_numbers_are_restored(tmp_path):
    module, optimizer, state = made(0)
    step(module, optimizer)
    state.save(tmp_path / "last", FACTS)
    other, other_optimizer, other_state = made(1)
    step(other, other_optimizer)
    step(other, other_optimizer)
    assert other_state.restore(tmp_path / "last") == FACTS
    restored = torch.rand(3)
    other_state.restore(tmp_path / "last")
    assert torch.equal(torch.rand(3), restored)
    other_state.restore(tmp_path / "last")
    for _ in range(3):
        step(other, other_optimizer)
    torch.set_rng_state(load_tensors(tmp_path / "last")[0]["random/cpu"])
    for _ in range(3):
        step(module, optimizer)
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_state_before_the_first_step_can_be_saved(tmp_path):
    _, _, state = made(0)
    state.save(tmp_path / "last", {})
    module, optimizer, other = made(1)
    other.restore(tmp_path / "last")
    step(module, optimizer)


def test_the_same_tensors_give_the_same_bytes_and_no_other_file(tmp_path: Path) -> None:
    tensors = {
        "wide": torch.ones(3, dtype=torch.float64),
        "flag": torch.tensor(True),
        "half": torch.ones(5, dtype=torch.bfloat16),
        "none": torch.zeros(0, 3),
    }
    paths = [tmp_path / name for name in ("one", "other")]
    for path in paths:
        save_tensors(path, tensors, {"fact": "é"})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    found, facts = load_tensors(paths[0])
    assert facts == {"fact": "é"}
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert {name: one.dtype for name, one in found.items()} == {
        name: one.dtype for name, one in tensors.items()
    }
