"""The contract of an objective."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.batches import Batch, BatchPlan, NegativeSampler
from prism_rec.data.histories import Histories
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.base import Objective
from prism_rec.objectives.sampled import SampledObjective
from prism_rec.testing.checks import (
    DTYPES,
    HISTORIES,
    ITEMS,
    PluginContract,
    assert_equal,
    build_model,
    save_and_load,
    without_gradient,
)
from prism_rec.testing.planted import hide, plant_features
from prism_rec.training.step import TrainStep

FUSION = ExpertPrismConfig(hidden=4)
MAX_LENGTH = 8
TRAINING = Histories.from_lists([history for history in HISTORIES if len(history) > 1])


class _SteadySampler:
    """Draws that depend on the user only. Those of a sampler follow one another, position by position."""

    def draw(self, users_P: Tensor, count: int) -> Tensor:
        """Return the same item `count` times for each position."""
        return (users_P[:, None] * 5 + 3) % ITEMS + users_P.new_ones(1, count)


class ObjectiveContract(PluginContract):
    """Tests of one objective: subclass it in a test file, name the subclass `Test...` and set `config`.

    An objective that brings its own batches overrides `turned` too.

    Attributes:
        config: settings that build the objective.
        backbone: settings of a backbone that the objective fits.
        without_gradient: ends of names of parameters that the loss cannot reach.
    """

    backbone: Any = SASRecConfig(form="post_norm", layers=1)
    without_gradient: tuple[str, ...] = ("attention.key.bias", "absent_MD")

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model."""
        return build_model(FUSION, self.backbone, max_length=MAX_LENGTH, **changes)

    def prepare(self, model: SequenceRecommender) -> tuple[Objective, Any]:
        """Return the objective, ready for training, and one batch with all training examples."""
        objective: Objective = self.config.build()
        objective.begin_training(model, TRAINING)
        objective.to(model.device)
        batches = objective.batches(TRAINING, BatchPlan(MAX_LENGTH, batch_size=64, seed=0))
        objective.begin_epoch(model, 1)
        return objective, next(batches.epoch(1))

    def loss(self, model: SequenceRecommender, objective: Objective, batch: Any) -> Tensor:
        """Return the loss, always with the same random numbers."""
        torch.manual_seed(0)
        return objective(model, batch).loss

    def turned(self, batch: Any) -> Any:
        """Return a batch with its examples from last to first."""
        items, targets = (
            values.split(batch.lengths_B.tolist())[::-1] for values in (batch.items_P, batch.targets_P)
        )
        return Batch(batch.users_B.flip(0), torch.cat(items), batch.lengths_B.flip(0), torch.cat(targets))

    def steady(self, objective: Objective) -> None:
        """Make each draw depend only on the example that it is for.

        By default this is done for a `SampledObjective`. Override it for draws of other kinds, unless a draw is for all
        examples of a batch.
        """
        if isinstance(objective, SampledObjective):
            objective.sampler = cast(NegativeSampler, _SteadySampler())

    def test_the_loss_is_a_number(self) -> None:
        """Finite and of the model's dtype, with any modality missing."""
        for dtype in DTYPES:
            for features in (plant_features(ITEMS), hide(plant_features(ITEMS), "image")):
                model = self.model(features=features, dtype=dtype)
                objective, batch = self.prepare(model)
                loss = self.loss(model, objective, batch)
                assert loss.shape == ()
                assert loss.dtype == dtype
                assert loss.isfinite()

    def test_the_order_of_a_batch_is_irrelevant(self) -> None:
        """If each example has the same draws."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            objective, batch = self.prepare(model)
            self.steady(objective)
            turned = self.loss(model, objective, self.turned(batch))
            told = (
                "the loss of the same examples in another order; if it draws per example, override `steady`"
            )
            assert_equal(turned, self.loss(model, objective, batch), told)

    def step(self, seed: int) -> nn.Module:
        """Use the losses of a training step; of the ids, check those in histories."""
        model = self.model(seed=seed)
        objective, batch = self.prepare(model)
        step = TrainStep(model, objective)
        sum(step(batch)).backward()
        slope = model.items.ids.weight.grad
        assert slope is not None
        assert slope[torch.from_numpy(TRAINING.items).unique()].any(1).all()
        assert not slope[0].any()
        return step

    def test_every_parameter_gets_a_gradient(self) -> None:
        """In every element, except those that cannot have any and the ids of items in no history."""
        assert without_gradient(self.step, (*self.without_gradient, "items.ids.weight")) == []

    def test_every_parameter_is_part_of_every_step(self) -> None:
        """Zero gradients are fine, missing ones are not: processes that train together average them all."""
        for features in (plant_features(ITEMS), hide(plant_features(ITEMS), "image")):
            model = self.model(features=features)
            objective, batch = self.prepare(model)
            step = TrainStep(model, objective)
            sum(step(batch)).backward()
            assert [name for name, parameter in step.named_parameters() if parameter.grad is None] == []

    def test_sampling_objectives_use_few_ids(self) -> None:
        """If the settings say that a step samples, sparse gradients of the ids are those of the whole table."""
        if not self.config.samples:
            return
        gradients = []
        for sparse in (False, True):
            model = self.model()
            model.items.ids.sparse = sparse
            objective, batch = self.prepare(model)
            self.loss(model, objective, batch).backward()
            gradients.append(cast(Tensor, model.items.ids.weight.grad))
        assert gradients[1].is_sparse
        assert_equal(gradients[1].to_dense(), gradients[0], "sparse gradients")

    def test_the_same_random_numbers_give_the_same_loss(self) -> None:
        """So that the seed decides a run."""
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

    def test_saved_and_loaded_is_equal_bit_for_bit(self) -> None:
        """After loading into a model and an objective that had other weights."""
        model, other = self.model(), self.model(seed=1)
        (objective, batch), (loaded, _) = self.prepare(model), self.prepare(other)
        save_and_load(model, other)
        save_and_load(objective, loaded)
        assert torch.equal(self.loss(model, objective, batch), self.loss(other, loaded, batch))
