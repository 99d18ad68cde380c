"""One training step as a module: a batch in, its losses out."""

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.model import SequenceRecommender
from prism_rec.nn.processes import share
from prism_rec.objectives.base import Objective


class Losses(NamedTuple):
    """The losses of one batch; training minimises their sum (PRISM, equation 12)."""

    recommendation: Float[Tensor, ""]
    interaction: Float[Tensor, ""]  # the fusion's own, weighted; zero if it has none


class TrainStep(nn.Module):
    """A model and its objective; `forward(batch)` computes everything that a step differentiates.

    Its parameters are those that training changes. Anything that wraps a module can wrap it: DistributedDataParallel,
    FSDP, `torch.compile`, autocast, Ray Train. Features are buffers, the same in every process, so that they
    need not be sent before each step.

    Args:
        model: to be trained.
        objective: its loss, after `begin_training`: an objective makes its own parameters there.
    """

    def __init__(self, model: SequenceRecommender, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: Any) -> Losses:
        """Return the losses of one of the objective's batches.

        If several processes share the batch, the mean of their losses is the loss of the whole batch.
        """
        outcome = self.objective(self.model, batch)
        loss = outcome.loss * share(outcome.number_of_terms, outcome.loss.device)
        return Losses(loss, self.model.interaction_loss(outcome.reading))
