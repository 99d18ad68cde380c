"""The contract of a fusion."""

from itertools import combinations
from typing import Any

import torch
from torch import nn

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.fusion import Fused
from prism_rec.fusion.reading import ModalityShape
from prism_rec.model import SequenceRecommender
from prism_rec.testing.checks import (
    DTYPES,
    HISTORIES,
    ITEMS,
    PluginContract,
    assert_equal,
    assert_scores_add_up,
    build_model,
    read,
    save_and_load,
    score_all,
)
from prism_rec.testing.planted import WIDTHS, hide, plant_features

BACKBONE = SASRecConfig(form="post_norm", layers=1)
LONG = HISTORIES[0]


def interaction_loss(model: SequenceRecommender) -> torch.Tensor:
    """Return the interaction loss, always with the same random numbers."""
    torch.manual_seed(0)
    return model.interaction_loss(read(model, HISTORIES))


class FusionContract(PluginContract):
    """Tests of one fusion: subclass it in a test file, name the subclass `Test...` and set `config`."""

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model with the fusion."""
        return build_model(self.config, BACKBONE, **changes)

    def fuse(self, model: SequenceRecommender, histories: Any) -> Fused:
        """Return the fusion's output at the places of some histories, one after another."""
        return model.fusion(read(model, histories))

    def fuse_each(self, model: SequenceRecommender, histories: Any) -> list[Fused]:
        """Return the fusion's output for some histories read together, history by history."""
        lengths = [len(history) for history in histories]
        parts = (values.split(lengths) for values in self.fuse(model, histories))
        return [Fused(*values) for values in zip(*parts, strict=True)]

    def test_a_position_sees_positions_up_to_itself_only(self) -> None:
        """The output at t equals the last one of the prefix 1..t, and a change at t changes nothing before t."""
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
                    assert_equal(alone[t], together[t], f"position {t}, encoded without the later items")
                    assert_equal(other[:t], together[:t], f"positions before a change at {t}")

    def test_nothing_that_follows_reaches_a_position_in_training(self) -> None:
        """No gradient of a later id or feature reaches it, with dropout on."""
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
            if not fused.vectors_PD.requires_grad:  # ids only: nothing is added to them
                return
            reached = fused.vectors_PD[t].sum() + fused.weights_PJ[t].square().sum()
            slopes = torch.autograd.grad(reached, tables, allow_unused=True)
            later = sorted({*LONG[t + 1 :]} - {*LONG[: t + 1]})
            assert not any(slope[later].any() for slope in slopes if slope is not None), f"position {t}"

    def test_other_histories_of_a_batch_change_nothing(self) -> None:
        """Whatever their lengths."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            for history, together in zip(HISTORIES, self.fuse_each(model, HISTORIES), strict=True):
                for alone, other in zip(self.fuse(model, [history]), together, strict=True):
                    assert_equal(alone, other, "alone and in a batch")

    def test_the_order_of_a_batch_is_irrelevant(self) -> None:
        """Histories may come in any order."""
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            in_order = self.fuse_each(model, HISTORIES)
            shuffled = self.fuse_each(model, [HISTORIES[row] for row in order])
            for fused, row in zip(shuffled, order, strict=True):
                for one, other in zip(fused, in_order[row], strict=True):
                    assert_equal(one, other, "order")

    def test_an_item_is_the_same_in_any_set_of_items(self) -> None:
        """States and scores over some items equal those over the whole catalogue."""
        histories = HISTORIES[1:4]
        candidates = torch.tensor([[3, 12, 4]])
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            whole = model.item_set()
            rows = torch.tensor([item for history in histories for item in history])
            users = model.encode(read(model, histories, whole))
            few = model.item_set(rows, candidates)
            assert_equal(model.encode(read(model, histories, few)).states, users.states, "states")
            every_PC = candidates.expand(len(users.states), -1)
            scores = model.score(users, every_PC, whole)
            assert_equal(model.score(users, every_PC, few), scores, "scores")

    def test_any_subset_of_modalities_may_be_missing(self) -> None:
        """Everything stays finite, gradients too, with one modality or three, and with any of them missing."""
        for widths in ({"image": 6}, WIDTHS, {**WIDTHS, "sound": 3}):
            for count in range(len(widths) + 1):
                for missing in combinations(widths, count):
                    features = plant_features(ITEMS, widths)
                    for modality in missing:
                        features = hide(features, modality)
                    model = self.model(features=features, dtype=torch.float32)
                    reading = read(model, HISTORIES)
                    scores = score_all(model, model.encode(reading), reading.items)
                    loss = scores.square().sum() + interaction_loss(model)
                    loss.backward()
                    assert loss.isfinite(), f"{missing} missing of {tuple(widths)}"
                    gradients = [p.grad for p in model.parameters() if p.grad is not None]
                    assert all(g.isfinite().all() for g in gradients), f"{missing} missing of {tuple(widths)}"

    def test_an_item_without_modalities_is_its_id_only(self) -> None:
        """Nothing is added to its id, and its components add nothing to a score."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            assert not self.fuse(model, [(4, 8, 12)]).vectors_PD.any()
            reading = read(model, HISTORIES)
            users = model.encode(reading)
            bare = torch.tensor([[4, 8, 12]]).expand(len(users.states), -1)
            assert not model.contributions(users, bare, reading.items)[..., 1:].any()

    def step(self, seed: int) -> nn.Module:
        """Use the scores and the interaction losses together."""
        model = self.model(seed=seed)
        reading = read(model, HISTORIES)
        scores = score_all(model, model.encode(reading), reading.items)
        (scores.sin().sum() + interaction_loss(model)).backward()
        return model.fusion

    def test_saved_and_loaded_is_equal_bit_for_bit(self) -> None:
        """After loading into a model that had other weights."""
        model, other = self.model(), self.model(seed=1)
        save_and_load(model, other)
        for one, two in zip(self.fuse(model, HISTORIES), self.fuse(other, HISTORIES), strict=True):
            assert torch.equal(one, two)

    def test_scores_add_up(self) -> None:
        """Contributions sum to the score, and queries @ keys is the score, whatever an item lacks."""
        assert_scores_add_up(self.config, BACKBONE)

    def test_a_new_item_is_scored_by_its_content(self) -> None:
        """Other features give an item that is in no history another score, if candidates have content."""
        features = plant_features(ITEMS)
        model = self.model(features=features)
        features["image"].vectors[ITEMS - 1] *= -1
        other = self.model(features=features)
        scores = []
        for made in (model, other):
            reading = read(made, [(3, 5, 6), (1, 2)])
            scores.append(score_all(made, made.encode_last(reading), reading.items))
        changed = (scores[0] != scores[1]).any(0)
        has_content = bool(model.fusion.component_names) and model.fusion.scores_content
        assert changed.nonzero().flatten().tolist() == ([ITEMS - 2] if has_content else [])

    def test_features_are_used_as_its_settings_declare(self) -> None:
        """A fusion that declares to use none adds nothing to an id; one that uses them is built from modalities."""
        model = self.model()
        if self.config.uses_features:
            assert model.fusion.modalities == {name: ModalityShape(width) for name, width in WIDTHS.items()}
            assert self.fuse(model, HISTORIES).vectors_PD.any()
        else:
            assert not model.fusion.modalities
            assert not self.fuse(model, HISTORIES).vectors_PD.any()
