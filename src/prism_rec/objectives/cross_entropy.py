"""Softmax cross-entropy over the whole catalogue or over a sample of it."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from prism_rec.backbones.stosa import StosaConfig
from prism_rec.batches import Batch
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import ItemSet, SequenceRecommender, UserStates
from prism_rec.model.config import ModelConfig
from prism_rec.nn.linear_cross_entropy import linear_cross_entropy
from prism_rec.objectives.base import Objective, ObjectiveSettings, Outcome

Precision = Literal["float32", "bfloat16"]
"""Of the scores of the whole catalogue while a model is trained; weights and all else are float32."""


def catalogue_cross_entropy(
    model: SequenceRecommender,
    users: UserStates,
    items: ItemSet,
    targets_P: Int[Tensor, " P"],
    precision: Precision,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(scores)[target] over P states, the scores being those of the whole catalogue.

    `bfloat16` rounds states, keys and scores to 8 bits, which moves gradients by some thousandths, by some hundredths
    where a model is sure of itself; else they are as the model has them.
    """
    groups = model.keys(items)
    rows_N = torch.cat([group.rows_I for group in groups])
    column_N = torch.empty_like(items.rows_I)
    column_N[rows_N] = torch.arange(len(rows_N), device=rows_N.device)
    scattered = model.scattered(users)
    if scattered is not None:
        column_N[0] = 0  # what is added there is 0
        scattered = scattered._replace(columns_PX=column_N[scattered.columns_PX])
    return linear_cross_entropy(
        [model.queries(users, group) for group in groups],
        [group.keys_IK for group in groups],
        column_N[targets_P],
        dtype=torch.bfloat16 if precision == "bfloat16" else None,
        scattered=scattered,
    )


def check_precision(precision: Precision, model: ModelConfig) -> None:
    """Refuse distances in bfloat16: as an inner product they are small differences of large numbers, which it rounds.

    Raises:
        InputError: backbone STOSA.
    """
    if precision == "bfloat16" and isinstance(model.backbone, StosaConfig):
        raise InputError("distances of backbone stosa need objective.precision: float32; change it")


class CrossEntropy(Objective):
    """-log softmax over every item of the catalogue, at every position."""

    def __init__(self, precision: Precision = "float32") -> None:
        super().__init__()
        self.precision = precision

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's real positions."""
        items = model.item_set(batch.histories_BL)
        history = model.history(batch.histories_BL, batch.lengths_B, items)
        users = model.encode(history)
        loss = catalogue_cross_entropy(model, users, items, batch.targets_P, self.precision)
        return Outcome(loss, history)


class SampledCrossEntropy(Objective):
    """-log softmax over the target and negatives that all positions of a batch share, corrected by log Q.

    The correction (Bengio and Senecal, 2008) subtracts from a negative's score the log of the expected number of times
    that it is drawn, so that the sampled softmax estimates the full one. The target is always there and not corrected;
    where it is drawn as a negative too, it does not count.

    Args:
        negatives: drawn once a batch, with repetition.
        proposal: `uniform` over the catalogue, or by `popularity`, training events + 1.
    """

    def __init__(self, negatives: int, proposal: Literal["uniform", "popularity"]) -> None:
        super().__init__()
        self.negatives = negatives
        self.proposal = proposal

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Count the items."""
        number_of_items = model.items.number_of_items
        counts_N = torch.ones(number_of_items)
        if self.proposal == "popularity":
            counts_N += torch.from_numpy(histories.items).bincount(minlength=number_of_items + 1)[1:]
        self.probability_N = (counts_N / counts_N.sum()).to(model.device)

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's real positions."""
        negatives_C = self.probability_N.multinomial(self.negatives, replacement=True) + 1
        items = model.item_set(batch.histories_BL, torch.cat([batch.targets_P, negatives_C]))
        history = model.history(batch.histories_BL, batch.lengths_B, items)
        users = model.encode(history)
        targets_P1 = batch.targets_P[:, None]
        target_P1 = model.score(users, targets_P1, items)
        groups = model.keys(items, negatives_C)
        others_PC = torch.cat([model.queries(users, group) @ group.keys_IK.T for group in groups], 1)
        rows_C = torch.cat([group.rows_I for group in groups])
        others_PC = others_PC - self._log_expected(rows_C)
        others_PC = others_PC.masked_fill(rows_C == targets_P1, -torch.inf)
        loss_P = torch.cat([target_P1, others_PC], 1).logsumexp(1) - target_P1.squeeze(1)
        return Outcome(loss_P.mean(), history)

    def _log_expected(self, rows: Tensor) -> Float[Tensor, "..."]:
        return (self.probability_N[rows - 1] * self.negatives).log()


class CrossEntropyConfig(ObjectiveSettings):
    """Settings of `cross_entropy`, the full softmax.

    `precision: bfloat16` halves the time of the softmax on processors that have the instructions (AVX-512 BF16, AMX);
    on others it is slower than float32, and on GPUs it has not been measured.
    """

    kind: Literal["cross_entropy"] = "cross_entropy"
    precision: Precision = "float32"

    def check(self, model: ModelConfig) -> None:
        """Refuse distances in bfloat16; see `check_precision`."""
        check_precision(self.precision, model)

    def build(self) -> CrossEntropy:
        """Make the objective."""
        return CrossEntropy(self.precision)


class SampledCrossEntropyConfig(ObjectiveSettings):
    """Settings of `sampled_cross_entropy`."""

    kind: Literal["sampled_cross_entropy"] = "sampled_cross_entropy"
    negatives: int = Field(1024, ge=1)
    proposal: Literal["uniform", "popularity"] = "uniform"

    def check(self, model: ModelConfig) -> None:
        """Refuse the term of similar items, which the shared negatives lack.

        Raises:
            InputError: `model.similar` is given.
        """
        if model.similar is not None:
            raise InputError(
                "objective sampled_cross_entropy cannot train model.similar; take cross_entropy or leave it out"
            )

    def build(self) -> SampledCrossEntropy:
        """Make the objective."""
        return SampledCrossEntropy(self.negatives, self.proposal)
