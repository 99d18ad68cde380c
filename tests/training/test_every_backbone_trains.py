"""Each backbone with each objective and fusion that it goes with: settings survive, and training learns."""

import numpy as np
import pytest
import torch

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.rank import Ranker
from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

ITEMS = 20
BACKBONES = {
    "sasrec": {"kind": "sasrec", "dropout": 0.0},
    "post-norm sasrec": {"kind": "sasrec", "form": "post_norm", "dropout": 0.0},
    "esasrec": {"kind": "esasrec", "layers": 2, "dropout": 0.0},
    "bsarec": {"kind": "bsarec", "dropout": 0.0, "attention_dropout": 0.0},
    "prefix bsarec": {
        "kind": "bsarec", "form": "prefix", "positions": "last", "dropout": 0.0, "attention_dropout": 0.0
    },
    "gru4rec": {"kind": "gru4rec", "hidden": 32, "dropout": 0.0},
    "hstu": {"kind": "hstu", "dropout": 0.0},
    "stosa": {"kind": "stosa", "dropout": 0.0},
    "stosa kl": {"kind": "stosa", "distance": "kl", "dropout": 0.0},
}  # fmt: skip
OBJECTIVES = ["cross_entropy", "sampled_cross_entropy", "bce", "bpr", "gbce", "stosa"]
FUSIONS = ["id", "sum", "concat", "gate", "prism", "prism_published"]


def cycles(users: int) -> Histories:
    """Return histories in which item i is always followed by item i + 3, from anywhere in the catalogue."""
    rng = np.random.default_rng(0)
    starts, lengths = rng.integers(0, ITEMS, users), rng.integers(3, 8, users)
    return Histories.from_lists(
        [(start + 3 * np.arange(n)) % ITEMS + 1 for start, n in zip(starts, lengths, strict=True)]
    )


def features() -> dict[str, FeatureTable]:
    rng = np.random.default_rng(1)
    tables = {}
    for name, width in (("image", 6), ("text", 5)):
        present = rng.random(ITEMS + 1) < 0.8
        present[0] = False
        vectors = rng.normal(size=(ITEMS + 1, width)).astype(np.float32) * present[:, None]
        tables[name] = FeatureTable(vectors, present)
    return tables


def settings(backbone: str, fusion: str = "id") -> dict[str, object]:
    return {"width": 32, "max_length": 8, "backbone": BACKBONES[backbone], "fusion": {"kind": fusion}}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_it_learns_what_comes_next(backbone):
    """Overfit 50 users: the next item of each is first among all, in at most 60 epochs."""
    torch.manual_seed(0)
    run = RunConfig.parse({"model": settings(backbone)}, "here")
    histories = cycles(50)
    model, objective = run.model.build(ITEMS, {}), run.objective.build()
    train = TrainConfig(learning_rate=5e-3)
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, train)
    batches = TrainingBatches(histories, BatchPlan(8, 50, seed=0))
    users = np.arange(50)
    asked = histories.prefixes(users, histories.lengths - 1)
    targets = histories.items[histories.offsets[1:] - 1]
    found = 0.0
    for epoch in range(1, 61):
        train_epoch(step, optimizer, batches, epoch, train)
        if epoch % 10 == 0:
            found = np.mean(Ranker(model).rank(asked, targets).ranks == 1)
        if found == 1:
            break
    assert found == 1


def take_step(backbone: str, fusion: str, objective: str) -> None:
    """Take one step, and look at what reaches each parameter."""
    torch.manual_seed(0)
    run = RunConfig.parse({"model": settings(backbone, fusion), "objective": {"kind": objective}}, "here")
    assert RunConfig.parse(run.model_dump(mode="json"), "written and read") == run
    histories = cycles(16)
    model, trained = run.model.build(ITEMS, features()), run.objective.build()
    trained.begin_training(model, histories)
    batch = next(TrainingBatches(histories, BatchPlan(8, 16, seed=0)).epoch(1))
    sum(TrainStep(model, trained)(batch)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_fusion_reaches_every_parameter(backbone, fusion):
    take_step(backbone, fusion, "cross_entropy")


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_objective_reaches_every_parameter_or_refuses(backbone, objective):
    if objective == "stosa" and "stosa" not in backbone:
        with pytest.raises(InputError, match="needs a backbone that scores by a distance"):
            take_step(backbone, "prism", objective)
    elif objective in ("bce", "gbce") and "stosa" in backbone:
        with pytest.raises(InputError, match="log odds, and those of backbone stosa"):
            take_step(backbone, "prism", objective)
    else:
        take_step(backbone, "prism", objective)
