"""Softmax cross-entropy over the whole catalogue or over a sample of it."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from prism_rec.batches import Batch
from prism_rec.data.histories import Histories
from prism_rec.errors import SettingsError
from prism_rec.fusion.reading import ItemSet
from prism_rec.model import SequenceRecommender, UserStates
from prism_rec.model.config import ModelConfig
from prism_rec.nn.linear_cross_entropy import linear_cross_entropy
from prism_rec.nn.sparse import Scattered
from prism_rec.objectives.base import Objective, ObjectiveSettings, Outcome

Precision = Literal["float32", "bfloat16"]
"""Number format of the scores of the whole catalogue during training; weights and the rest are float32."""

Over = Literal["catalogue", "trained"]
"""Items of the softmax: all, or those with a training event."""


def catalogue_cross_entropy(
    model: SequenceRecommender,
    users: UserStates,
    items: ItemSet,
    targets_P: Int[Tensor, " P"],
    precision: Precision,
    rows: Int[Tensor, " _"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(scores)[target] over P states, with the scores of the whole catalogue.

    With `rows`, the softmax has these catalogue rows only, and all targets must be among them.

    `bfloat16` rounds states, keys and scores to 8 bits, which moves gradients by some thousandths, or by some
    hundredths if a model is sure of its answers. `float32` keeps the dtype of the model.
    """
    groups = model.keys(items, rows)
    rows_C = torch.cat([group.rows_I for group in groups])
    # Catalogue row -> column of the scores, group after group. Padding and items that are left out have none.
    column_N = torch.full_like(items.rows_I, -1)
    column_N[rows_C] = torch.arange(len(rows_C), device=rows_C.device)
    scattered = model.scattered(users)
    if scattered is not None:
        columns_PX = column_N[scattered.columns_PX]
        scattered = Scattered(columns_PX.clamp_min(0), scattered.values_PX * (columns_PX >= 0))
    return linear_cross_entropy(
        [model.queries(users, group) for group in groups],
        [group.keys_IK for group in groups],
        column_N[targets_P],
        dtype=torch.bfloat16 if precision == "bfloat16" else None,
        scattered=scattered,
    )


def check_precision(precision: Precision, model: ModelConfig) -> None:
    """Refuse distances in bfloat16: as inner products they are small differences of large numbers, which it rounds.

    Raises:
        SettingsError: the backbone scores by a distance.
    """
    if precision == "bfloat16" and model.backbone.scores == "distance":
        raise SettingsError(
            f"distances of backbone {model.backbone.kind} need objective.precision: float32; change it"
        )


class CrossEntropy(Objective):
    """-log softmax over the catalogue, at every position.

    Args:
        precision: number format of the scores.
        over: every item, or those with a training event.
    """

    def __init__(self, precision: Precision = "float32", over: Over = "catalogue") -> None:
        super().__init__()
        self.precision = precision
        self.over = over
        self.rows: Tensor | None = None

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Find the items of the softmax."""
        if self.over == "trained":
            events_N = torch.from_numpy(histories.counts(model.items.number_of_items))
            self.rows = events_N.nonzero().squeeze(1).to(model.device)

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's positions."""
        reading = model.read(batch.items_P, batch.lengths_B, next_P=batch.targets_P)
        users = model.encode(reading)
        loss = catalogue_cross_entropy(
            model, users, reading.items, batch.targets_P, self.precision, self.rows
        )
        return Outcome(loss, reading)


class SampledCrossEntropy(Objective):
    """-log softmax over the target and negatives that all positions of a batch share, corrected by log Q.

    The correction (Bengio and Senecal, 2008) subtracts from a negative's score the log of the expected number of times
    that it is drawn, so that the sampled softmax estimates the full one. The target is always in the softmax, without
    correction; if it is drawn as a negative too, that draw is ignored.

    Args:
        negatives: drawn once per batch, with repetition.
        proposal: `uniform` over the catalogue, or by `popularity`, training events + 1.
    """

    def __init__(self, negatives: int, proposal: Literal["uniform", "popularity"]) -> None:
        super().__init__()
        self.negatives = negatives
        self.proposal = proposal

    def begin_training(self, model: SequenceRecommender, histories: Histories) -> None:
        """Compute the probability of drawing each item."""
        number_of_items = model.items.number_of_items
        counts_N = torch.ones(number_of_items)
        if self.proposal == "popularity":
            counts_N += torch.from_numpy(histories.counts(number_of_items)[1:])
        self.probability_N = (counts_N / counts_N.sum()).to(model.device)

    def forward(self, model: SequenceRecommender, batch: Batch) -> Outcome:
        """Return the mean over the batch's positions."""
        negatives_C = self.probability_N.multinomial(self.negatives, replacement=True) + 1
        reading = model.read(batch.items_P, batch.lengths_B, torch.cat([batch.targets_P, negatives_C]))
        users = model.encode(reading)
        targets_P1 = batch.targets_P[:, None]
        target_P1 = model.score(users, targets_P1, reading.items)
        groups = model.keys(reading.items, negatives_C)
        others_PC = torch.cat([model.queries(users, group) @ group.keys_IK.T for group in groups], 1)
        rows_C = torch.cat([group.rows_I for group in groups])
        others_PC = others_PC - self._log_expected(rows_C)
        others_PC = others_PC.masked_fill(rows_C == targets_P1, -torch.inf)
        loss_P = torch.cat([target_P1, others_PC], 1).logsumexp(1) - target_P1.squeeze(1)
        return Outcome(loss_P.mean(), reading)

    def _log_expected(self, rows: Tensor) -> Float[Tensor, "..."]:
        return (self.probability_N[rows - 1] * self.negatives).log()


class CrossEntropyConfig(ObjectiveSettings):
    """Settings of `cross_entropy`, the full softmax."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    """Name of the objective."""
    precision: Precision = "float32"
    """Number format of the catalogue's scores.

    `bfloat16` halves the time of the softmax on processors that have the instructions (AVX-512 BF16, AMX). On others it
    is slower than `float32`; on GPUs it has not been measured.
    """
    over: Over = "catalogue"
    """Items of the softmax: the whole `catalogue`, or only those with a training event (`trained`).

    In the whole catalogue, an item without a training event is never a target: its picture and text are trained to have
    low scores, and so is what they share with items that appear later. Take `trained` if new items matter.
    """

    def check(self, model: ModelConfig) -> None:
        """Refuse distances in bfloat16; see `check_precision`."""
        check_precision(self.precision, model)

    def build(self) -> CrossEntropy:
        """Make the objective."""
        return CrossEntropy(self.precision, self.over)


class SampledCrossEntropyConfig(ObjectiveSettings):
    """Settings of `sampled_cross_entropy`, a softmax over the target and a sample of the catalogue."""

    samples = True
    kind: Literal["sampled_cross_entropy"] = "sampled_cross_entropy"
    """Name of the objective."""
    negatives: int = Field(1024, ge=1)
    """Number of negatives per batch."""
    proposal: Literal["uniform", "popularity"] = "uniform"
    """How negatives are drawn: `uniform`, or by `popularity` (training events + 1)."""

    def check(self, model: ModelConfig) -> None:
        """Refuse the terms of neighbours, which the shared negatives lack.

        Raises:
            SettingsError: `model.similar` or `model.rules` is given.
        """
        for name in ("similar", "rules"):
            if getattr(model, name) is not None:
                raise SettingsError(
                    f"objective sampled_cross_entropy cannot train model.{name}; use cross_entropy, or leave it out"
                )

    def build(self) -> SampledCrossEntropy:
        """Make the objective."""
        return SampledCrossEntropy(self.negatives, self.proposal)
