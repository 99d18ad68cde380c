"""What each fusion adds to an id, against its formula computed item by item."""

import torch
import torch.nn.functional as F

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.fusion.base import no_components, share_weights
from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.testing.checks import assert_equal, build_model, read

HISTORY = (3, 1, 4, 2, 7)  # both modalities, the picture, none, the text, both


def prepared(config) -> tuple[SequenceRecommender, torch.Tensor, torch.Tensor]:
    """Return a model, its fused vectors of the history, and the ids there."""
    model = build_model(config, SASRecConfig(form="post_norm", layers=1))
    return (
        model,
        model.fusion(read(model, [HISTORY])).vectors_PD,
        model.items.ids.weight[[*HISTORY]],
    )


def projected(model: SequenceRecommender, item: int) -> list[torch.Tensor | None]:
    """Return an item's vectors in the common space; None for a modality that it lacks."""
    return [
        maps(model.items.get_buffer(f"vectors_{m}")[item]) if item >> m & 1 else None
        for m, maps in enumerate(model.fusion.projections.maps)
    ]


def shown(model: SequenceRecommender, item: int) -> list[torch.Tensor]:
    """Return the same with the learned vector in place of what is lacking."""
    return [
        absent if vector is None else vector
        for vector, absent in zip(projected(model, item), model.fusion.projections.absent_MD, strict=True)
    ]


def test_sum_adds_what_there_is():
    model, fused, _ = prepared(SumFusionConfig())
    for t, item in enumerate(HISTORY):
        there = [vector for vector in projected(model, item) if vector is not None]
        assert_equal(fused[t], sum(there, start=torch.zeros_like(fused[t])), f"item {item}")


def test_concat_is_one_network_of_all():
    model, fused, _ = prepared(ConcatFusionConfig())
    for t, item in enumerate(HISTORY):
        made = model.fusion.outer(F.gelu(model.fusion.inner(torch.cat(shown(model, item)))))
        assert_equal(fused[t], made * (item % 4 != 0), f"item {item}")


def gated(model: SequenceRecommender, evidence: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return the shares of the components for what the gate sees, by equation 10."""
    gate = model.fusion.gate
    weights = (gate.outer(F.gelu(gate.inner(evidence))) / gate.temperature).softmax(-1) * present
    return weights / weights.sum() if present.any() else weights


def check_gated(config, components, seen) -> None:
    """Compare with weights over the means of `seen` and ids over the items so far, or the item at hand."""
    model, fused, ids = prepared(config)
    for t, item in enumerate(HISTORY):
        first = t if config.sees == "item" else 0
        looked_at = [torch.cat([*seen(model, HISTORY[s]), ids[s]]) for s in range(first, t + 1)]
        added, present = components(model, item)
        weights = gated(model, torch.stack(looked_at).mean(0), present)
        assert_equal(fused[t], weights @ added, f"item {item}, the gate sees the {config.sees}")


def test_gate_weighs_the_projections_by_the_mean_of_the_prefix_or_by_the_item():
    def components(model, item):
        present = torch.tensor([item & 1, item >> 1 & 1])
        return torch.stack(shown(model, item)), present

    for sees in ("prefix", "item"):
        check_gated(GateFusionConfig(sees=sees), components, shown)


def experts_say(model: SequenceRecommender, item: int) -> torch.Tensor:
    """Return what each expert says of an item, by its own weights: [J, D]."""
    experts, vectors = model.fusion.experts, shown(model, item)
    hidden = sum(vector @ experts.inner_weight_MJDH[m] for m, vector in enumerate(vectors))
    activated = F.gelu(hidden + experts.inner_bias_JH)
    return torch.einsum("jh,jhd->jd", activated, experts.outer_weight_JHD) + experts.outer_bias_JD


def test_prism_weighs_what_the_experts_say():
    def present(item):
        return torch.tensor([item & 1, item >> 1 & 1, item % 4 != 0, item % 4 != 0])

    def components(model, item):
        return experts_say(model, item), present(item)

    def seen(model, item):
        return [experts_say(model, item).mul(present(item)[:, None]).flatten()]

    for sees in ("prefix", "item"):
        check_gated(ExpertPrismConfig(hidden=5, temperature=0.3, sees=sees), components, seen)


def test_the_published_form_averages_each_modality_over_the_items_that_have_it():
    model, fused, ids = prepared(PublishedPrismConfig(hidden=5))
    pooled = [
        torch.stack([model.items.get_buffer(f"vectors_{m}")[item] for item in HISTORY if item >> m & 1]).mean(
            0
        )
        for m in range(2)
    ]
    vectors = [maps(pool) for maps, pool in zip(model.fusion.projections.maps, pooled, strict=True)]
    said = model.fusion.experts(torch.stack(vectors)[None])[:, 0]
    weights = gated(model, torch.cat([said.flatten(), ids.mean(0)]), torch.ones(4))
    assert_equal(fused, (weights @ said).expand_as(fused), "the same at every position")


def test_shares_are_over_what_there_is():
    weights = torch.tensor([0.5, 0.3, 0.2])
    present = torch.tensor([[True, False, True], [True, True, True], [False, False, False]])
    expected = torch.tensor([[5 / 7, 0, 2 / 7], [0.5, 0.3, 0.2], [0, 0, 0]])
    torch.testing.assert_close(share_weights(weights, present), expected)
    torch.testing.assert_close(share_weights(weights.expand(2, 3), present[0]), expected[:1].expand(2, 3))


def test_items_without_components_keep_their_number():
    parts = no_components(torch.zeros(5, 2, 3))
    assert parts.components_IJD.shape == (5, 0, 3)
    assert parts.present_IJ.shape == (5, 0)
    assert parts.present_IJ.dtype == torch.bool
