"""The contract of a fusion."""

from itertools import combinations
from typing import Any

import torch
from torch import nn

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.fusion import Fused
from prism_rec.model import SequenceRecommender
from prism_rec.testing.checks import (
    DTYPES,
    HISTORIES,
    ITEMS,
    assert_equal,
    assert_inference_is_deterministic,
    assert_round_trip,
    assert_scores_add_up,
    build_model,
    histories_of,
    save_and_load,
    score_all,
    without_gradient,
)
from prism_rec.testing.planted import WIDTHS, hide, plant_features

BACKBONE = SASRecConfig(form="post_norm", layers=1)
LONG = HISTORIES[0]


def interaction_loss(model: SequenceRecommender, padding: int = 0) -> torch.Tensor:
    """Return the interaction loss, its random numbers always the same."""
    torch.manual_seed(0)
    return model.interaction_loss(histories_of(model, HISTORIES, padding=padding))


class FusionContract:
    """Tests of one fusion: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings that build the fusion.
        without_gradient: ends of names of parameters that no loss can reach.
    """

    config: Any
    without_gradient: tuple[str, ...] = ()

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model with the fusion."""
        return build_model(self.config, BACKBONE, **changes)

    def fuse(self, model: SequenceRecommender, histories: Any, padding: int = 0) -> Fused:
        """Return what the fusion makes of the places of some histories, one after another."""
        return model.fusion(histories_of(model, histories, padding=padding))

    def fuse_each(self, model: SequenceRecommender, histories: Any) -> list[Fused]:
        """Return what the fusion makes of some histories together, history by history."""
        lengths = [len(history) for history in histories]
        parts = (values.split(lengths) for values in self.fuse(model, histories))
        return [Fused(*values) for values in zip(*parts, strict=True)]

    def test_a_position_sees_those_up_to_itself_alone(self) -> None:
        """What stands at t equals the last of the prefix 1..t, and a change at t changes nothing before t."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            whole = self.fuse(model, [LONG])
            if not model.fusion.causal:
                changed = self.fuse(model, [(*LONG[:-1], 1)])
                assert not torch.allclose(changed.vectors_PD[0], whole.vectors_PD[0]), "declare it causal"
                continue
            for t in range(len(LONG)):
                prefix = self.fuse(model, [LONG[: t + 1]])
                changed = self.fuse(model, [(*LONG[:t], 1, *LONG[t + 1 :])])
                for alone, other, together in zip(prefix, changed, whole, strict=True):
                    assert_equal(alone[t], together[t], f"position {t} of the prefix alone")
                    assert_equal(other[:t], together[:t], f"positions before a change at {t}")

    def test_nothing_that_follows_reaches_a_position_in_training(self) -> None:
        """Neither an id nor a feature sends a gradient back in time, dropout and all."""
        model = self.model().train()
        if not model.fusion.causal:
            return
        tables = [
            model.items.ids.weight,
            *(model.items.get_buffer(f"vectors_{m}") for m in range(len(WIDTHS))),
        ]
        for table in tables:
            table.requires_grad_()
        for t in range(len(LONG) - 1):
            fused = self.fuse(model, [LONG])
            if not fused.vectors_PD.requires_grad:  # ids alone: nothing is added to them
                return
            reached = fused.vectors_PD[t].sum() + fused.weights_PJ[t].square().sum()
            slopes = torch.autograd.grad(reached, tables, allow_unused=True)
            later = sorted({*LONG[t + 1 :]} - {*LONG[: t + 1]})
            assert not any(slope[later].any() for slope in slopes if slope is not None), f"position {t}"

    def test_padding_changes_nothing(self) -> None:
        """Nor do the longer histories of a batch."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            for history, together in zip(HISTORIES, self.fuse_each(model, HISTORIES), strict=True):
                for padding in (0, 3, 90):
                    for alone, other in zip(self.fuse(model, [history], padding), together, strict=True):
                        assert_equal(alone, other, f"{padding} columns of padding")
            for padding in (3, 90):
                padded = interaction_loss(model, padding)
                assert_equal(
                    padded, interaction_loss(model), f"interaction loss, {padding} columns of padding"
                )

    def test_the_order_of_a_batch_is_irrelevant(self) -> None:
        """Histories, and items of a set, may come in any order and company."""
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            in_order = self.fuse_each(model, HISTORIES)
            shuffled = self.fuse_each(model, [HISTORIES[row] for row in order])
            for fused, row in zip(shuffled, order, strict=True):
                for one, other in zip(fused, in_order[row], strict=True):
                    assert_equal(one, other, "order")

    def test_an_item_is_the_same_in_any_set_of_items(self) -> None:
        """States and scores over the items at hand equal those over the whole catalogue."""
        histories = HISTORIES[1:4]
        candidates = torch.tensor([[3, 12, 4]])
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            whole = model.item_set()
            rows = torch.tensor([item for history in histories for item in history])
            users = model.encode(histories_of(model, histories, whole))
            few = model.item_set(rows, candidates)
            assert_equal(model.encode(histories_of(model, histories, few)).states, users.states, "states")
            every_PC = candidates.expand(len(users.states), -1)
            scores = model.score(users, every_PC, whole)
            assert_equal(model.score(users, every_PC, few), scores, "scores")

    def test_any_subset_of_modalities_may_be_missing(self) -> None:
        """Everything stays finite, gradients too, with one modality or three, of which the data may lack some."""
        for widths in ({"image": 6}, WIDTHS, {**WIDTHS, "sound": 3}):
            for count in range(len(widths) + 1):
                for missing in combinations(widths, count):
                    features = plant_features(ITEMS, widths)
                    for modality in missing:
                        features = hide(features, modality)
                    model = self.model(features=features, dtype=torch.float32)
                    items = model.item_set()
                    scores = score_all(model, model.encode(histories_of(model, HISTORIES, items)), items)
                    loss = scores.square().sum() + interaction_loss(model)
                    loss.backward()
                    assert loss.isfinite(), f"{missing} missing of {tuple(widths)}"
                    gradients = [p.grad for p in model.parameters() if p.grad is not None]
                    assert all(g.isfinite().all() for g in gradients), f"{missing} missing of {tuple(widths)}"

    def test_an_item_without_modalities_is_its_id_alone(self) -> None:
        """It adds nothing to an id, and its components nothing to a score."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            assert not self.fuse(model, [(4, 8, 12)]).vectors_PD.any()
            items = model.item_set()
            users = model.encode(histories_of(model, HISTORIES, items))
            bare = torch.tensor([[4, 8, 12]]).expand(len(users.states), -1)
            assert not model.contributions(users, bare, items)[..., 1:].any()

    def test_every_parameter_gets_a_gradient(self) -> None:
        """From the scores and the interaction losses together."""

        def step(seed: int) -> nn.Module:
            model = self.model(seed=seed)
            items = model.item_set()
            scores = score_all(model, model.encode(histories_of(model, HISTORIES, items)), items)
            (scores.sin().sum() + interaction_loss(model)).backward()
            return model.fusion

        assert without_gradient(step, self.without_gradient) == []

    def test_inference_is_deterministic(self) -> None:
        """Random numbers play no part outside training."""
        assert_inference_is_deterministic(self.model())

    def test_settings_come_back(self) -> None:
        """As plain values and back."""
        assert_round_trip(self.config)

    def test_saved_and_loaded_is_equal_bit_for_bit(self) -> None:
        """Into a model that was made with other weights."""
        model, other = self.model(), self.model(seed=1)
        save_and_load(model, other)
        for one, two in zip(self.fuse(model, HISTORIES), self.fuse(other, HISTORIES), strict=True):
            assert torch.equal(one, two)

    def test_scores_add_up(self) -> None:
        """Contributions sum to the score, and queries @ keys is the score, whatever an item lacks."""
        assert_scores_add_up(self.config, BACKBONE)

    def test_a_new_item_is_scored_by_its_content(self) -> None:
        """Other features give an item that stands in no history another score, if candidates have content."""
        features = plant_features(ITEMS)
        model = self.model(features=features)
        features["image"].vectors[ITEMS - 1] *= -1
        other = self.model(features=features)
        scores = []
        for made in (model, other):
            items = made.item_set()
            users = made.encode_last(histories_of(made, [(3, 5, 6), (1, 2)], items))
            scores.append(score_all(made, users, items))
        changed = (scores[0] != scores[1]).any(0)
        has_content = bool(model.fusion.component_names) and model.fusion.scores_content
        assert changed.nonzero().flatten().tolist() == ([ITEMS - 2] if has_content else [])
