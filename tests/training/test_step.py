"""A training step is one module: what wraps modules can wrap it."""

from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from prism_rec.batches import Batch, BatchPlan
from prism_rec.testing import plant_first_tells_last
from prism_rec.training.config import RunConfig
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

SETTINGS = {
    "model": {
        "width": 8,
        "max_length": 3,
        "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0.2},
    },
    "train": {"batch_size": 20, "learning_rate": 0.01},
}


def prepared(
    objective: str = "bce", fusion: str = "prism_experts", rank: int = 0, world: int = 1
) -> tuple[TrainStep, list[Batch]]:
    """Return a step with the first weights of seed 0, and the batches of an epoch."""
    model = {**SETTINGS["model"], "fusion": {"kind": fusion}}
    run = RunConfig.parse({**SETTINGS, "model": model, "objective": {"kind": objective}}, "here")
    planted = plant_first_tells_last()
    torch.manual_seed(0)
    model, made = run.model.build(planted.number_of_items, planted.features), run.objective.build()
    made.begin_training(model, planted.histories)
    plan = BatchPlan(model.max_length, run.train.batch_size, 0, rank=rank, world=world)
    batches = made.batches(planted.histories, plan)
    made.begin_epoch(model, 1)
    return TrainStep(model, made).train(), list(batches.epoch(1))


def train(step: TrainStep, wrapped: nn.Module, batches: list[Batch]) -> list[float]:
    """Take a step per batch with the wrapped module, and return the losses."""
    optimizer = make_optimizer(step, RunConfig.parse(SETTINGS, "here").train)
    torch.manual_seed(1)
    losses = []
    for batch in batches:
        loss = sum(wrapped(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture
def _one_process(tmp_path: Path) -> Iterator[None]:
    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("_one_process")
@pytest.mark.parametrize("objective", ["bce", "indirec"])
def test_wrapped_for_many_processes_it_trains_as_it_does_bare(objective: str) -> None:
    """Every step would fail if the step before it had left a parameter without a gradient."""
    bare, batches = prepared(objective)
    expected = train(bare, bare, batches)
    step, _ = prepared(objective)
    assert train(step, DistributedDataParallel(step), batches) == expected
    for one, other in zip(step.parameters(), bare.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.fixture
def _unchecked() -> Iterator[None]:
    """Leave annotations unchecked: the compiler cannot trace the checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.slow
@pytest.mark.usefixtures("_unchecked")
@pytest.mark.filterwarnings("ignore")  # the compiler has warnings of its own
def test_compiled_it_trains_as_it_does_bare() -> None:
    bare, batches = prepared(fusion="sum")  # PRISM compiles too, and takes three times as long
    expected = train(bare, bare, batches)
    step, _ = prepared(fusion="sum")
    assert train(step, torch.compile(step, backend="eager"), batches) == expected


def test_its_losses_are_those_of_the_objective_and_of_the_fusion() -> None:
    step, (batch, *_) = prepared("cross_entropy")
    step.eval()
    torch.manual_seed(2)
    losses = step(batch)
    torch.manual_seed(2)
    outcome = step.objective(step.model, batch)
    assert torch.equal(losses.recommendation, outcome.loss)
    assert torch.equal(losses.interaction, step.model.interaction_loss(outcome.reading))
    assert losses.interaction > 0


def test_gradients_of_two_ranks_are_those_of_their_batches() -> None:
    """The mean over ranks of equal size is the gradient of the whole batch, if each position counts alike."""
    slopes = {}
    for rank, world in ((0, 1), (0, 2), (1, 2)):
        step, (batch, *_) = prepared("cross_entropy", rank=rank, world=world)
        step.eval()
        step(batch).recommendation.backward()
        slopes[rank, world] = [parameter.grad for parameter in step.model.backbone.parameters()]
    for whole, one, other in zip(slopes[0, 1], slopes[0, 2], slopes[1, 2], strict=True):
        torch.testing.assert_close((one + other) / 2, whole)
