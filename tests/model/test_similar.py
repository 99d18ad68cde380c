"""The term of similar items, against its definition."""

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec.batches import Batch
from prism_rec.data.bag import Bag, Table
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.model import similar as module
from prism_rec.model.config import ModelConfig
from prism_rec.model.similar import nearest
from prism_rec.objectives.cross_entropy import CrossEntropy
from prism_rec.objectives.sampled import BayesianPersonalisedRanking
from prism_rec.rank import Ranker
from prism_rec.testing import plant_features
from prism_rec.training.config import RunConfig

ITEMS = 12
HISTORIES = [[3, 7, 1], [5], [6, 2, 2, 9, 11, 4, 10]]
TITLES = [
    "red nail",
    "red",
    "nail oil",
    "oil",
    "hair oil",
    "hair",
    "",
    "red hair",
    "nail",
    "oil red",
    "hair nail",
    "x",
]


@pytest.fixture
def features() -> dict[str, Table]:
    """Return an image and words; no cosine is negative, so that every item can be a neighbour."""
    bag = Bag.of(pl.DataFrame({"title": TITLES}), ["title"], min_items=1).take(np.arange(-1, ITEMS))
    image = plant_features(ITEMS)["image"]
    return {"image": FeatureTable(np.abs(image.vectors), image.present), "words": bag}


def build(features: dict[str, Table], **similar: int) -> SequenceRecommender:
    torch.manual_seed(0)
    settings = {"width": 8, "max_length": 5, "fusion": {"kind": "sum"}, "similar": {"lags": 3, **similar}}
    model = ModelConfig.parse(settings).build(ITEMS, features).eval()
    assert model.similar
    with torch.no_grad():
        model.similar.weights_LM.uniform_(0.1, 0.5)
    return model


def dense(table: Table) -> np.ndarray:
    return table.vectors.toarray() if isinstance(table, Bag) else table.vectors


def term(model: SequenceRecommender, features: dict[str, Table], history: list[int]) -> np.ndarray:
    """Return what the definition adds to each item's score after a history, if every item is a neighbour."""
    total = np.zeros(ITEMS + 1)
    for lag, item in enumerate(history[::-1][:3]):
        for m, table in enumerate(features.values()):
            cosines = dense(table) @ dense(table)[item]
            cosines[item] = 0
            total += 10 * model.similar.weights_LM[lag, m].item() * cosines
    return total


def test_scores_have_the_cosines_with_the_latest_items(features: dict[str, Table]) -> None:
    model, plain = build(features, neighbours=ITEMS), build(features, neighbours=ITEMS)
    plain.similar.weights_LM.data.zero_()
    histories = Histories.from_lists(HISTORIES)
    scores = []
    for made in (model, plain):
        ranker = Ranker(made)
        scores.append(ranker.scores(ranker.states(histories, np.arange(3))))
    added = (scores[0] - scores[1])[:, 1:].numpy()
    expected = np.stack([term(model, features, history) for history in HISTORIES])[:, 1:]
    np.testing.assert_allclose(added, expected, atol=1e-5)


def test_contributions_name_it_and_sum_to_the_score(features: dict[str, Table]) -> None:
    model = build(features, neighbours=4)
    ranker = Ranker(model)
    users = ranker.states(Histories.from_lists(HISTORIES), np.arange(3))
    rows = torch.arange(1, ITEMS + 1).expand(3, -1)
    parts = model.contributions(users, rows, ranker.items)
    assert model.component_names == ("id", "image", "words", "similar")
    torch.testing.assert_close(parts.sum(-1), ranker.scores(users)[:, 1:])
    assert parts[..., -1].any()


def test_the_loss_over_the_catalogue_is_that_of_the_scores(features: dict[str, Table]) -> None:
    model = build(features, neighbours=4)
    batch = Batch(
        torch.arange(2), torch.tensor([3, 7, 1, 6, 2]), torch.tensor([3, 2]), torch.tensor([7, 1, 4, 2, 9])
    )
    loss = CrossEntropy()(model, batch).loss
    reading = model.read(batch.items_P, batch.lengths_B)
    every_PN = torch.arange(1, ITEMS + 1).expand(5, -1)
    scores = model.score(model.encode(reading), every_PN, reading.items)
    expected = torch.nn.functional.cross_entropy(scores, batch.targets_P - 1)
    torch.testing.assert_close(loss, expected)
    slopes = [torch.autograd.grad(value, model.similar.weights_LM)[0] for value in (loss, expected)]
    torch.testing.assert_close(*slopes)
    assert slopes[0].all()


def test_an_objective_with_a_few_negatives_trains_it_too(features: dict[str, Table]) -> None:
    model = build(features, neighbours=ITEMS)
    histories = Histories.from_lists(HISTORIES)
    objective = BayesianPersonalisedRanking(3)
    objective.begin_training(model, histories)
    batch = Batch(torch.tensor([0]), torch.tensor([3, 7]), torch.tensor([2]), torch.tensor([7, 1]))
    objective(model, batch).loss.backward()
    assert model.similar.weights_LM.grad.any()


def test_neighbours_are_found_in_chunks_of_any_size(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, Table]
) -> None:
    whole = nearest(features, 5)
    monkeypatch.setattr(module, "_CHUNK", 30)
    for one, other in zip(whole, nearest(features, 5), strict=True):
        assert torch.equal(one, other)
    near, cosines = whole
    assert not (near == torch.arange(ITEMS + 1)[:, None])[cosines.any(-1)].any()
    assert not cosines[0].any()


def test_it_may_be_next_to_ids_only(features: dict[str, Table]) -> None:
    settings = {"width": 8, "fusion": {"kind": "id"}, "similar": {"neighbours": 4}}
    model = ModelConfig.parse(settings).build(ITEMS, features)
    assert model.component_names == ("id", "similar")
    assert model.similar.weights_LM.shape == (5, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": {"kind": "sampled_cross_entropy"}}, "cannot train model.similar; use cross_entropy"),
        ({}, "model.similar needs features and the data has none"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunConfig.parse({"model": {"similar": {}}, **settings}).model.build(ITEMS, {})


def test_settings_are_checked_without_the_whole_catalogue(features: dict[str, Table]) -> None:
    ModelConfig.parse({"fusion": {"kind": "sum"}, "similar": {}}).check_fit(features)


def test_before_a_history_begins_there_is_no_item(features: dict[str, Table]) -> None:
    model = build(features, neighbours=4)
    reading = model.read(torch.tensor([3, 7, 1, 6, 2]), torch.tensor([3, 2]))
    expected = [[3, 0, 0], [7, 3, 0], [1, 7, 3], [6, 0, 0], [2, 6, 0]]
    assert reading.recent(3).tolist() == expected
    assert model.encode_last(reading).recent.tolist() == [expected[2], expected[4]]
    few = model.read(torch.tensor([3, 7, 1, 6, 2]), torch.tensor([3, 2]), candidates=torch.tensor([9]))
    assert few.recent(3).tolist() == expected
