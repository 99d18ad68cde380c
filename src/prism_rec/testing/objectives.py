"""The contract of an objective."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.batches import Batch
from prism_rec.data.histories import Histories
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Objective
from prism_rec.testing.checks import (
    DTYPES,
    HISTORIES,
    ITEMS,
    assert_equal,
    assert_round_trip,
    build_model,
    save_and_load,
    without_gradient,
)
from prism_rec.testing.planted import hide, plant_features

FUSION = PrismConfig(hidden=4)
MAX_LENGTH = 8
TRAINING = Histories.from_lists([history for history in HISTORIES if len(history) > 1])


class ObjectiveContract:
    """Tests of one objective: subclass it in a test file, name the subclass `Test...` and set `config`.

    An objective that brings its own batches overrides `turned` too.

    Attributes:
        config: settings that build the objective.
        backbone: settings of one that the objective goes with.
        without_gradient: ends of names of parameters that the loss cannot reach.
    """

    config: Any
    backbone: Any = SASRecConfig(form="post_norm", layers=1)
    without_gradient: tuple[str, ...] = ("attention.key.bias", "absent_MD")

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model."""
        return build_model(FUSION, self.backbone, max_length=MAX_LENGTH, **changes)

    def prepare(self, model: SequenceRecommender) -> tuple[Objective, Any]:
        """Return the objective, ready for training, and a batch with all there is to train on."""
        objective: Objective = self.config.build()
        objective.begin_training(model, TRAINING)
        objective.to(model.device)
        batches = objective.batches(TRAINING, MAX_LENGTH, batch_size=64, seed=0)
        objective.begin_epoch(model, 1)
        return objective, next(batches.epoch(1))

    def loss(self, model: SequenceRecommender, objective: Objective, batch: Any) -> Tensor:
        """Return the loss, its random numbers always the same."""
        torch.manual_seed(0)
        return objective(model, batch).loss

    def padded(self, batch: Any, padding: int) -> Any:
        """Return a batch with further columns of padding."""
        return batch._replace(histories_BL=F.pad(batch.histories_BL, (0, padding)))

    def turned(self, batch: Any) -> Any:
        """Return a batch with what it trains on from last to first."""
        targets = batch.targets_P.split(batch.lengths_B.tolist())
        return Batch(
            batch.users_B.flip(0),
            batch.histories_BL.flip(0),
            batch.lengths_B.flip(0),
            torch.cat(targets[::-1]),
        )

    def steady(self, objective: Objective) -> None:
        """Make what the objective draws depend on what it is drawn for alone; nothing to do where it is for all."""

    def test_the_loss_is_a_number(self) -> None:
        """Finite, of the model's type, with any modality missing."""
        for dtype in DTYPES:
            for features in (plant_features(ITEMS), hide(plant_features(ITEMS), "image")):
                model = self.model(features=features, dtype=dtype)
                objective, batch = self.prepare(model)
                loss = self.loss(model, objective, batch)
                assert loss.shape == ()
                assert loss.dtype == dtype
                assert loss.isfinite()

    def test_padding_changes_nothing(self) -> None:
        """Nor do further columns of it."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            objective, batch = self.prepare(model)
            expected = self.loss(model, objective, batch)
            for padding in (3, 90):
                padded = self.loss(model, objective, self.padded(batch, padding))
                assert_equal(padded, expected, f"{padding} columns of padding")

    def test_the_order_of_a_batch_is_irrelevant(self) -> None:
        """With the same draws for each user."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            objective, batch = self.prepare(model)
            self.steady(objective)
            turned = self.loss(model, objective, self.turned(batch))
            assert_equal(turned, self.loss(model, objective, batch), "order")

    def test_every_parameter_gets_a_gradient(self) -> None:
        """The objective's own too; of the ids, those in histories."""

        def step(seed: int) -> nn.Module:
            model = self.model(seed=seed)
            objective, batch = self.prepare(model)
            outcome = objective(model, batch)
            (outcome.loss + model.interaction_loss(outcome.history)).backward()
            slope = model.items.ids.weight.grad
            assert slope is not None
            assert slope[torch.from_numpy(TRAINING.items).unique()].any(1).all()
            assert not slope[0].any()
            return nn.ModuleDict({"model": model, "objective": objective})

        assert without_gradient(step, (*self.without_gradient, "items.ids.weight")) == []

    def test_the_same_random_numbers_give_the_same_loss(self) -> None:
        """So that a run is what its seed makes it."""
        model = self.model()
        losses = []
        for _ in range(2):
            torch.manual_seed(3)
            objective, batch = self.prepare(model)
            losses.append(objective(model, batch).loss)
        assert torch.equal(*losses)

    def test_training_lowers_the_loss(self) -> None:
        """A few steps on one batch."""
        model = self.model(dtype=torch.float32)
        objective, batch = self.prepare(model)
        parameters = [*model.parameters(), *objective.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=0.01)
        before = self.loss(model, objective, batch).item()
        for _ in range(10):
            optimizer.zero_grad()
            self.loss(model, objective, batch).backward()
            optimizer.step()
        assert self.loss(model, objective, batch).item() < 0.9 * before

    def test_settings_come_back(self) -> None:
        """As plain values and back."""
        assert_round_trip(self.config)

    def test_saved_and_loaded_is_equal_bit_for_bit(self) -> None:
        """Into a model and an objective that were made with other weights."""
        model, other = self.model(), self.model(seed=1)
        (objective, batch), (loaded, _) = self.prepare(model), self.prepare(other)
        save_and_load(model, other)
        save_and_load(objective, loaded)
        assert torch.equal(self.loss(model, objective, batch), self.loss(other, loaded, batch))
