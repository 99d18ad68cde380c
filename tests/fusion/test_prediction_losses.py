"""The interaction losses on predictions: equations 2 to 4, each view through the backbone (METHOD, defect 1)."""

import itertools

import numpy as np
import pytest
import torch

from prism_rec.data.feature_table import FeatureTable
from prism_rec.fusion.base import History
from prism_rec.fusion.prism.losses import interaction_losses
from prism_rec.fusion.prism.views import Views
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig

ITEMS, WIDTH = 9, 8
HISTORIES = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0], [8, 1, 6, 0, 0], [4, 0, 0, 0, 0]])
LENGTHS = torch.tensor([5, 2, 3, 1])
BACKBONES = {
    "sasrec": {"heads": 2, "dropout": 0.0},
    "stosa": {"heads": 2, "dropout": 0.0},
    "gru4rec": {"dropout": 0.0},
}


def built(modalities: int, backbone: str = "sasrec", **fusion: object) -> SequenceRecommender:
    """Return a model without dropout; items 4 and 7 lack the first modality, 8 has none."""
    random = np.random.default_rng(0)
    features = {}
    for m in range(modalities):
        vectors = random.normal(size=(ITEMS + 1, 3 + m)).astype(np.float32)
        present = np.ones(ITEMS + 1, bool)
        present[[0, 8] if m else [0, 4, 7, 8]] = False
        features[f"m{m}"] = FeatureTable(vectors * present[:, None], present)
    settings = {"kind": "prism", "losses_on": "prediction", "mask": "zero", "dropout": 0.0} | fusion
    config = {
        "width": WIDTH, "max_length": 5, "fusion": settings, "backbone": {"kind": backbone} | BACKBONES[backbone]
    }  # fmt: skip
    torch.manual_seed(0)
    return ModelConfig.parse(config).build(ITEMS, features).double()


def history_of(model: SequenceRecommender) -> History:
    return model.history(HISTORIES, LENGTHS, model.item_set(HISTORIES, HISTORIES))


def prediction(model: SequenceRecommender, history: History, expert: int, shown: set[int]) -> torch.Tensor:
    """Return y of one expert for each history, computed history by history from equations 2 to 4."""
    projected_IMD = model.fusion.projections(history.features)
    hidden = torch.tensor([m not in shown for m in range(projected_IMD.shape[1])])
    hidden_IM = hidden & history.features.present_IM
    said_ID = model.fusion.experts(projected_IMD.masked_fill(hidden_IM[..., None], 0.0))[expert]
    said_ID = said_ID * history.parts.present_IJ[:, expert, None]
    added_IV = said_ID
    if model.further_streams is not None:
        added_IV = torch.cat([said_ID, model.further_streams(said_ID)], -1)
    inputs_IV = history.ids_IV + added_IV
    states = [
        model.backbone(inputs_IV[index][None], torch.tensor([len(index)]))[0, -1, :WIDTH]
        for index in history.index_P.split(history.packing.lengths_B.tolist())
    ]
    return torch.stack(states)


@pytest.mark.parametrize(
    ("modalities", "backbone"), [(2, "sasrec"), (3, "sasrec"), (2, "stosa"), (2, "gru4rec")]
)
def test_it_is_the_loss_of_views_encoded_one_by_one(modalities, backbone):
    model = built(modalities, backbone)
    history = history_of(model)
    every, roles = set(range(modalities)), model.fusion.roles_J
    assert roles == (*range(modalities), "redundancy", "synergy")

    def said(expert: int, shown: set[int]) -> torch.Tensor:
        return prediction(model, history, expert, shown)

    places = history.index_P.split(history.packing.lengths_B.tolist())
    present_BM = torch.stack([history.features.present_IM[index].any(0) for index in places])
    assert not present_BM.all()  # the last history lacks the first modality
    masked = [[{m}, every - {m}] for m in every] + 2 * [[{m} for m in every]]
    views = [
        Views(said(expert, every), tuple(said(expert, shown) for shown in masked[expert]))
        for expert in range(modalities + 2)
    ]
    losses_J = interaction_losses(roles, views, present_BM, margin=0.5, distance="cosine")
    torch.testing.assert_close(model.interaction_loss(history), 0.1 * losses_J.sum())


def test_both_readings_are_had_by_name_and_differ():
    losses = {
        (kind, losses_on): built(2, kind=kind, losses_on=losses_on).interaction_loss(
            history_of(built(2, kind=kind))
        )
        for kind, losses_on in itertools.product(("prism", "prism_published"), ("embedding", "prediction"))
    }
    assert len({round(loss.item(), 9) for loss in losses.values()}) == 4


@pytest.mark.parametrize("kind", ["prism", "prism_published"])
def test_it_teaches_experts_ids_and_backbone(kind):
    model = built(2, kind=kind)
    model.interaction_loss(history_of(model)).backward()
    untouched = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert untouched == {name for name, _ in model.named_parameters() if name.startswith("fusion.gate.")}


@pytest.mark.parametrize("kind", ["prism", "prism_published"])
def test_padding_and_company_change_nothing(kind):
    """The batch's loss is the mean of each history's own: triplets and cosines are taken history by history."""
    model = built(2, kind=kind)
    rows = [0, 1, 2]  # those that count for every loss
    alone = [
        model.interaction_loss(model.history(HISTORIES[[row]], LENGTHS[[row]], model.item_set()))
        for row in rows
    ]
    wide = torch.nn.functional.pad(HISTORIES[rows], (0, 7))
    together = model.interaction_loss(model.history(wide, LENGTHS[rows], model.item_set()))
    torch.testing.assert_close(together, torch.stack(alone).mean())


def test_items_without_any_picture_or_text_weigh_nothing():
    model = built(2)
    bare = torch.tensor([[8, 8]])
    history = model.history(bare, torch.tensor([2]), model.item_set(bare, bare))
    assert model.interaction_loss(history).item() == 0
