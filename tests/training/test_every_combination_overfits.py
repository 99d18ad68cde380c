"""Every fusion, backbone and objective, wired together, learns 50 planted users by heart."""

from itertools import product

import jaxtyping
import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet

from prism_rec.batches import BatchPlan
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Objective
from prism_rec.rank import Ranker
from prism_rec.testing import Planted, plant_first_tells_last
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

WITHOUT_DROPOUT = {"hidden": 16, "dropout": 0.0, "gate_dropout": 0.0}
FUSIONS = {
    "id": {},
    "sum": {},
    "concat": {},
    "gate": {"dropout": 0.0},
    "prism": WITHOUT_DROPOUT,
    "prism_published": WITHOUT_DROPOUT,
}
BACKBONES = {
    "sasrec": {"kind": "sasrec", "layers": 1, "dropout": 0.0},
    "post-norm sasrec": {"kind": "sasrec", "form": "post_norm", "layers": 1, "dropout": 0.0},
    "esasrec": {"kind": "esasrec", "layers": 2, "dropout": 0.0},
    "bsarec": {"kind": "bsarec", "layers": 1, "dropout": 0.0, "attention_dropout": 0.0},
    "prefix bsarec": {
        "kind": "bsarec", "form": "prefix", "layers": 1, "positions": "last", "dropout": 0.0, "attention_dropout": 0.0
    },
    "gru4rec": {"kind": "gru4rec", "dropout": 0.0},
    "hstu": {"kind": "hstu", "dropout": 0.0},
    "stosa": {"kind": "stosa", "dropout": 0.0},
    "stosa kl": {"kind": "stosa", "distance": "kl", "dropout": 0.0},
}  # fmt: skip
OBJECTIVES = {
    "cross_entropy": {},
    "sampled_cross_entropy": {"negatives": 25},
    "bce": {"negatives": 4},
    "bpr": {"negatives": 4},
    "gbce": {"negatives": 4, "calibration": 0.25},
    "stosa": {"negatives": 4},
    # The contrast draws the states of one intent together; with much of it nobody is learned by heart.
    "indirec": {"intents": 4, "steps": 4, "contrastive_weight": 0.02},
}
MOST_EPOCHS = (
    400  # 40 are usual; 200 where the pooled history gives the answers of all positions but the last away
)


@pytest.fixture(scope="module", autouse=True)
def _unchecked():
    """Leave annotations unchecked: the contract tests check them on the same calls, and thousands of steps are many."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def planted() -> Planted:
    """Return planted users, and features that start short.

    The losses that draw what a user has not chosen say nothing of the score of an item for a state that it led to
    itself. With long vectors in a tiny catalogue that score would be the highest; so ids start short too.
    """
    made = plant_first_tells_last()
    for table in made.features.values():
        np.multiply(table.vectors, 0.3, out=table.vectors)
    return made


def prepare(run: RunConfig, planted: Planted) -> tuple[SequenceRecommender, Objective]:
    """Make model and objective."""
    torch.manual_seed(0)
    model = run.model.build(planted.number_of_items, planted.features)
    with torch.no_grad():
        model.items.ids.weight[1:].normal_(std=0.05)
    objective = run.objective.build()
    objective.begin_training(model, planted.histories)
    return model, objective


@torch.inference_mode()
def recall_at_1(model: SequenceRecommender, planted: Planted) -> float:
    """Return the share of users whose last item is the first of all, what they have seen not left out."""
    histories, answers = planted.questions()
    ranker = Ranker(model)
    best = ranker.scores(ranker.states(histories, np.arange(len(histories)))).argmax(1)
    return float(np.mean(best.numpy() == answers))


def settings(fusion: str, backbone: str, objective: str) -> dict[str, object]:
    return {
        "model": {
            "width": 64,
            "max_length": 3,
            "fusion": {"kind": fusion, **FUSIONS[fusion]},
            "backbone": BACKBONES[backbone],
        },
        "objective": {"kind": objective, **OBJECTIVES[objective]},
        "train": {"learning_rate": 0.002, "batch_size": 50},
    }


def combinations() -> list[ParameterSet]:
    """Return every fusion, backbone and objective that go together; `make test` runs those about SASRec and PRISM."""
    together = []
    for fusion, backbone, objective in product(FUSIONS, BACKBONES, OBJECTIVES):
        try:
            RunConfig.parse(settings(fusion, backbone, objective), "here")
        except InputError:
            continue
        usual = backbone == "sasrec" or (fusion == "prism" and objective == "cross_entropy")
        together.append(pytest.param(fusion, backbone, objective, marks=() if usual else pytest.mark.slow))
    return together


@pytest.mark.parametrize(("fusion", "backbone", "objective"), combinations())
@pytest.mark.slow
def test_it_overfits(fusion, backbone, objective, planted):
    run = RunConfig.parse(settings(fusion, backbone, objective), "here")
    model, trained = prepare(run, planted)
    step = TrainStep(model, trained)
    optimizer = make_optimizer(step, run.train)
    plan = BatchPlan(model.max_length, run.train.batch_size, seed=0)
    batches = trained.batches(planted.histories, plan)
    found = 0.0
    for epoch in range(1, MOST_EPOCHS + 1):
        train_epoch(step, optimizer, batches, epoch, run.train)
        if epoch % 10 == 0:
            found = recall_at_1(model, planted)
        if found == 1:
            break
    assert found == 1


def test_planted_histories_are_distinct_and_the_answer_follows_from_the_first_item(planted):
    histories = [tuple(planted.histories[user]) for user in range(len(planted.histories))]
    assert len(set(histories)) == len(histories) == 50
    assert len({(first, last) for first, _, last in histories}) == len({first for first, _, _ in histories})
    patterns = np.stack([table.present[1:] for table in planted.features.values()], 1)
    assert len(np.unique(patterns, axis=0)) == 4
