"""Every fusion, encoder form and objective, wired together, learns 50 planted users by heart."""

import jaxtyping
import numpy as np
import pytest
import torch

from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Objective
from prism_rec.rank import Ranker
from prism_rec.testing import Planted, plant_first_tells_last
from prism_rec.train.config import RunConfig
from prism_rec.train.loop import make_optimizer, train_epoch

WITHOUT_DROPOUT = {"hidden": 16, "dropout": 0.0, "gate_dropout": 0.0}
FUSIONS = {
    "id": {},
    "sum": {},
    "concat": {},
    "gate": {"dropout": 0.0},
    "prism": WITHOUT_DROPOUT,
    "prism_published": WITHOUT_DROPOUT,
}
OBJECTIVES = {
    "cross_entropy": {},
    "sampled_cross_entropy": {"negatives": 25},
    "bce": {"negatives": 4},
    "bpr": {"negatives": 4},
    "gbce": {"negatives": 4, "calibration": 0.25},
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
    ranker = Ranker(model, model.backbone.positions.table.num_embeddings)
    best = ranker.scores(ranker.states(histories, np.arange(len(histories)))).argmax(1)
    return float(np.mean(best.numpy() == answers))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("form", ["original", "post_norm"])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_it_overfits(fusion, form, objective, planted):
    run = RunConfig.parse(
        {
            "model": {
                "width": 64,
                "max_length": 3,
                "fusion": {"kind": fusion, **FUSIONS[fusion]},
                "backbone": {"kind": "sasrec", "form": form, "layers": 1, "dropout": 0.0},
            },
            "objective": {"kind": objective, **OBJECTIVES[objective]},
            "train": {"learning_rate": 0.003, "batch_size": 50},
        },
        "here",
    )
    model, trained = prepare(run, planted)
    optimizer = make_optimizer({"model": model, "objective": trained}, run.train)
    batches = trained.batches(planted.histories, run.model.max_length, run.train.batch_size, seed=0)
    found = 0.0
    for epoch in range(1, MOST_EPOCHS + 1):
        train_epoch(model, trained, optimizer, batches, epoch, run.train)
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
