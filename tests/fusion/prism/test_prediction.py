"""The interaction losses on predictions: equations 2 to 4, each view through the backbone (METHOD, defect 1)."""

import itertools

import numpy as np
import pytest
import torch

from prism_rec.data.feature_table import FeatureTable
from prism_rec.fusion.prism.losses import interaction_losses
from prism_rec.fusion.prism.views import Views
from prism_rec.fusion.reading import Reading
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig

ITEMS, WIDTH = 9, 8
HISTORIES = [[1, 2, 3, 4, 5], [6, 7], [8, 1, 6], [4]]
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
    settings = {"kind": "prism_experts", "losses_on": "prediction", "mask": "zero", "dropout": 0.0} | fusion
    config = {
        "width": WIDTH, "max_length": 5, "fusion": settings, "backbone": {"kind": backbone} | BACKBONES[backbone]
    }  # fmt: skip
    torch.manual_seed(0)
    return ModelConfig.parse(config).build(ITEMS, features).double()


def read(model: SequenceRecommender, histories: list[list[int]] = HISTORIES) -> Reading:
    """Return histories over the set of just their items."""
    items_P = torch.tensor([item for history in histories for item in history])
    return model.read(items_P, torch.tensor([len(history) for history in histories]), candidates=items_P)


def prediction(model: SequenceRecommender, reading: Reading, expert: int, shown: set[int]) -> torch.Tensor:
    """Return y of one expert for each history, computed history by history from equations 2 to 4."""
    items = reading.items
    projected_IMD = model.fusion.projections(items.features)
    hidden = torch.tensor([m not in shown for m in range(projected_IMD.shape[1])])
    hidden_IM = hidden & items.features.present_IM
    said_ID = model.fusion.experts(projected_IMD.masked_fill(hidden_IM[..., None], 0.0))[expert]
    said_ID = said_ID * items.parts.present_IJ[:, expert, None]
    added_IV = said_ID
    if model.further_streams is not None:
        added_IV = torch.cat([said_ID, model.further_streams(said_ID)], -1)
    inputs_IV = items.ids_IV + added_IV
    states = [
        model.backbone(inputs_IV[index][None], torch.tensor([len(index)]))[0, -1, :WIDTH]
        for index in reading.index_P.split(reading.packing.lengths_B.tolist())
    ]
    return torch.stack(states)


@pytest.mark.parametrize(
    ("modalities", "backbone"), [(2, "sasrec"), (3, "sasrec"), (2, "stosa"), (2, "gru4rec")]
)
def test_it_is_the_loss_of_views_encoded_one_by_one(modalities, backbone):
    model = built(modalities, backbone)
    reading = read(model)
    every, roles = set(range(modalities)), model.fusion.roles_J
    assert roles == (*range(modalities), "redundancy", "synergy")

    def said(expert: int, shown: set[int]) -> torch.Tensor:
        return prediction(model, reading, expert, shown)

    places = reading.index_P.split(reading.packing.lengths_B.tolist())
    present_BM = torch.stack([reading.items.features.present_IM[index].any(0) for index in places])
    assert not present_BM.all()  # the last history lacks the first modality
    masked = [[{m}, every - {m}] for m in every] + 2 * [[{m} for m in every]]
    views = [
        Views(said(expert, every), tuple(said(expert, shown) for shown in masked[expert]))
        for expert in range(modalities + 2)
    ]
    losses_J = interaction_losses(roles, views, present_BM, margin=0.5, distance="cosine")
    torch.testing.assert_close(model.interaction_loss(reading), 0.1 * losses_J.sum())


def test_both_readings_are_had_by_name_and_differ():
    losses = {
        (kind, losses_on): built(2, kind=kind, losses_on=losses_on).interaction_loss(
            read(built(2, kind=kind))
        )
        for kind, losses_on in itertools.product(
            ("prism_experts", "prism_published"), ("embedding", "prediction")
        )
    }
    assert len({round(loss.item(), 9) for loss in losses.values()}) == 4


@pytest.mark.parametrize("kind", ["prism_experts", "prism_published"])
def test_it_teaches_experts_ids_and_backbone(kind):
    model = built(2, kind=kind)
    model.interaction_loss(read(model)).backward()
    untouched = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert untouched == {name for name, _ in model.named_parameters() if name.startswith("fusion.gate.")}


@pytest.mark.parametrize("kind", ["prism_experts", "prism_published"])
def test_other_histories_of_a_batch_change_nothing(kind):
    """The batch's loss is the mean of each history's own: triplets and cosines are computed history by history."""
    model = built(2, kind=kind)
    complete = HISTORIES[:3]  # those that count in every loss
    alone = [model.interaction_loss(read(model, [history])) for history in complete]
    together = model.interaction_loss(read(model, complete))
    torch.testing.assert_close(together, torch.stack(alone).mean())


def test_items_without_any_picture_or_text_weigh_nothing():
    model = built(2)
    assert model.interaction_loss(read(model, [[8, 8]])).item() == 0
