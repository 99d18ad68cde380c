"""Which planted bit can be read from which expert's components, by logistic probes."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from prism_rec.batches import BatchPlan
from prism_rec.data.histories import IntArray
from prism_rec.explain.planted_parts import PlantedParts
from prism_rec.model import SequenceRecommender
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

DRAWS = 12


def learn(config: RunConfig, planted: PlantedParts) -> SequenceRecommender:
    """Train a model on planted histories for all its epochs, without validation, and return it ready for inference."""
    torch.manual_seed(config.train.seed)
    model = config.model.build(planted.number_of_items, planted.features)
    objective = config.objective.build()
    objective.begin_training(model, planted.histories)
    model.begin_fusion()
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, config.train)
    plan = BatchPlan(model.max_length, config.train.batch_size, config.train.seed)
    batches = objective.batches(planted.histories, plan)
    for epoch in range(1, config.train.epochs + 1):
        train_epoch(step, optimizer, batches, epoch, config.train)
    return model.eval()


@torch.inference_mode()
def probe_experts(
    model: SequenceRecommender, bits: Mapping[str, IntArray], labels: int
) -> dict[str, dict[str, float]]:
    """Return the accuracy with which each bit is read from each component, by bit, then component; 0.5 is chance.

    Args:
        model: has components for every item.
        bits: the bit of every catalogue row, by name.
        labels: number of items that a probe learns from. With many it finds any trace of a bit; with few it finds only
            a bit that is easy to see.
    """
    components_IJD = model.item_set().parts.components_IJD[1:].numpy().astype(np.float64)
    return {
        name: {
            component: probe(components_IJD[:, j], values[1:], labels)
            for j, component in enumerate(model.fusion.component_names)
        }
        for name, values in bits.items()
    }


def probe(
    vectors_ID: Float[np.ndarray, "I D"] | Float64[np.ndarray, "I D"],
    bits_I: Int64[np.ndarray, "I"],
    labels: int,
) -> float:
    """Return the accuracy of logistic regression on items that it was not fitted to, averaged over 12 draws.

    Args:
        vectors_ID: a vector of width D for each of I items.
        bits_I: what the vector should tell, 0 or 1.
        labels: number of items that the regression is fitted to.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second to import

    random = np.random.default_rng(0)
    accuracies = []
    for _ in range(DRAWS):
        order = random.permutation(len(vectors_ID))
        seen, unseen = order[:labels], order[labels:]
        scale = vectors_ID[seen].std() + 1e-9
        centred_ID = (vectors_ID - vectors_ID[seen].mean(0)) / scale
        fitted = LogisticRegression(max_iter=300).fit(centred_ID[seen], bits_I[seen])
        accuracies.append(fitted.score(centred_ID[unseen], bits_I[unseen]))
    return float(np.mean(accuracies))
