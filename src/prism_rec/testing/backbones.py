"""The contract of a backbone."""

from typing import Any

import torch
from torch import Tensor, nn

from prism_rec.backbones import Backbone
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.testing.checks import (
    DTYPES,
    HISTORIES,
    WIDTH,
    PluginContract,
    assert_equal,
    assert_scores_add_up,
    build_model,
    rank_all,
    read,
    save_and_load,
    score_all,
)

FUSION = ExpertPrismConfig(hidden=4)
LENGTHS = torch.tensor([9, 1, 4, 2, 6])


class BackboneContract(PluginContract):
    """Tests of one backbone: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings that build the backbone.
        knows_what_follows: whether a state depends on how many items follow it, for instance because positions are
            counted from the last one. It may never depend on which items follow.
        reach: how many of the latest items a state depends on, such as the kernel of a convolution; None if it depends
            on all of them.
        without_gradient: ends of names of parameters that no loss can reach, such as a bias of the keys, which moves
            all logits of a softmax by the same number.
    """

    knows_what_follows = False
    reach: int | None = None
    without_gradient: tuple[str, ...] = ("attention.key.bias",)

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model with the backbone."""
        return build_model(FUSION, self.config, **changes)

    def inputs(self, backbone: Backbone, dtype: torch.dtype) -> Tensor:
        """Return item vectors for the histories of `LENGTHS`, random numbers at padding."""
        torch.manual_seed(1)
        return torch.randn(len(LENGTHS), int(LENGTHS.max()), backbone.streams * WIDTH, dtype=dtype)

    def test_a_state_sees_positions_up_to_itself_only(self) -> None:
        """The state at t equals that of the prefix 1..t, and a change at t changes nothing before t."""
        for dtype in DTYPES:
            backbone = self.model(dtype=dtype).backbone
            inputs = self.inputs(backbone, dtype)[:1]
            whole = backbone(inputs, LENGTHS[:1])
            for t in range(inputs.shape[1]):
                changed = inputs.clone()
                changed[0, t] *= -1
                after = backbone(changed, LENGTHS[:1])
                assert_equal(after[0, :t], whole[0, :t], f"positions before a change at {t}")
                end = inputs.shape[1] if self.reach is None else t + self.reach
                reached = (after[0, t:end] != whole[0, t:end]).any(-1)
                assert reached.all(), (
                    f"a state does not depend on item {t}; if it sees the latest n only, set `reach`"
                )
                assert_equal(after[0, end:], whole[0, end:], f"positions beyond the reach of item {t}")
                if not self.knows_what_follows:
                    alone = backbone(inputs[:, : t + 1], torch.tensor([t + 1]))
                    assert_equal(alone[0, t], whole[0, t], f"position {t}, encoded without the later items")

    def test_nothing_that_follows_reaches_a_state_in_training(self) -> None:
        """No gradient comes from there, with dropout on."""
        backbone = self.model().backbone.train()
        inputs = self.inputs(backbone, torch.float64)[:1].requires_grad_()
        for t in range(inputs.shape[1]):
            (slope,) = torch.autograd.grad(backbone(inputs, LENGTHS[:1])[0, t].sum(), inputs)
            assert not slope[0, t + 1 :].any(), f"position {t} depends on later items"

    def test_padding_changes_nothing(self) -> None:
        """Whatever its values; nor do the longer histories of a batch."""
        for dtype in DTYPES:
            backbone = self.model(dtype=dtype).backbone
            inputs = self.inputs(backbone, dtype)
            together = backbone(inputs, LENGTHS)
            assert together.isfinite().all()
            for row, length in enumerate(LENGTHS.tolist()):
                alone = inputs[row : row + 1, :length]
                for padding in (0, 3, 90):
                    junk = torch.randn(1, padding, alone.shape[-1], dtype=dtype) * 10
                    padded = backbone(torch.cat([alone, junk], 1), LENGTHS[row : row + 1])
                    assert_equal(padded[0, :length], together[row, :length], f"{padding} columns of padding")
                    assert padded.isfinite().all()

    def test_the_last_state_is_the_last_of_all(self) -> None:
        """`last` returns the same in a shorter way."""
        for dtype in DTYPES:
            backbone = self.model(dtype=dtype).backbone
            inputs = self.inputs(backbone, dtype)
            states = backbone(inputs, LENGTHS)
            expected = torch.stack([states[row, length - 1] for row, length in enumerate(LENGTHS)])
            assert_equal(backbone.last(inputs, LENGTHS), expected, "last")

    def test_the_model_encodes_in_the_order_of_the_batch(self) -> None:
        """Whatever lengths it puts in one block, at all positions or at the last ones only."""
        for dtype in DTYPES:
            model = self.model(dtype=dtype)
            reading = read(model, HISTORIES)
            alone = [model.encode(read(model, [history])) for history in HISTORIES]
            for values, last, expected in zip(
                model.encode(reading), model.encode_last(reading), zip(*alone, strict=True), strict=True
            ):
                assert_equal(values, torch.cat(expected), "all positions")
                assert_equal(last, torch.stack([rows[-1] for rows in expected]), "last positions")

    def test_the_order_of_a_batch_is_irrelevant(self) -> None:
        """Each history is encoded by itself."""
        for dtype in DTYPES:
            backbone = self.model(dtype=dtype).backbone
            inputs = self.inputs(backbone, dtype)
            turned = backbone(inputs.flip(0), LENGTHS.flip(0)).flip(0)
            for row, length in enumerate(LENGTHS.tolist()):
                assert_equal(turned[row, :length], backbone(inputs, LENGTHS)[row, :length], "order")

    def step(self, seed: int) -> nn.Module:
        """Use a window that the longest history fills, so that every position gets a gradient."""
        model = self.model(max_length=len(HISTORIES[0]), seed=seed)
        reading = read(model, HISTORIES)
        score_all(model, model.encode(reading), reading.items).sin().sum().backward()
        return model

    def test_saved_and_loaded_is_equal_bit_for_bit(self) -> None:
        """After loading into a model that had other weights."""
        model, other = self.model(), self.model(seed=1)
        save_and_load(model, other)
        inputs = self.inputs(model.backbone, torch.float64)
        assert torch.equal(model.backbone(inputs, LENGTHS), other.backbone(inputs, LENGTHS))

    def test_scores_add_up(self) -> None:
        """Contributions sum to the score, and queries @ keys is the score, whatever an item lacks."""
        assert_scores_add_up(FUSION, self.config)

    def test_a_distance_is_what_its_settings_declare(self) -> None:
        """If scores are declared to be negative distances, none is above zero, and two items have a distance too."""
        if self.config.scores != "distance":
            return
        for dtype in DTYPES:
            model = self.model(candidates="id", dtype=dtype)
            reading = read(model, HISTORIES)
            assert (rank_all(model, model.encode(reading), reading.items) <= 1e-5).all()
            ids_1NV = reading.items.ids_IV[None, 1:]
            apart_1N = model.backbone.id_distance(ids_1NV[:, :1], ids_1NV)
            assert_equal(apart_1N[0, 0], torch.zeros((), dtype=dtype), "an item and itself")
            assert (apart_1N[0, 1:] > 0).all()
