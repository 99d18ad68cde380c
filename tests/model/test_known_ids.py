"""An item without evidence for its id is scored by its content."""

import torch

from prism_rec.data.histories import Histories
from prism_rec.model.config import ModelConfig
from prism_rec.objectives.cross_entropy import CrossEntropy
from prism_rec.testing import plant_features
from prism_rec.train.config import TrainConfig
from prism_rec.train.loop import fit


def build(kind: str, **settings: object):
    torch.manual_seed(0)
    model = {"width": 8, "max_length": 5, "fusion": {"kind": kind}, **settings}
    return ModelConfig.parse(model).build(9, plant_features(9))


def test_in_a_fit_the_items_of_enough_training_events_are_noted(tmp_path):
    for at_least, expected in ((1, {1, 2, 3, 5}), (2, {1, 2})):
        folder = tmp_path / str(at_least)
        folder.mkdir()
        model = build("sum")
        histories = Histories.from_lists([[1, 2, 3], [2, 1], [5]])
        fit(
            model,
            CrossEntropy(),
            histories,
            TrainConfig(epochs=1),
            5,
            lambda model: {"ndcg@10": 0.0},
            folder,
            id_events=at_least,
        )
        assert set(model.items.known_N.nonzero().flatten().tolist()) == expected


def test_an_unknown_id_adds_nothing_to_a_score_and_to_a_history():
    model = build("sum").eval()
    model.items.note_events(torch.tensor([1, 2, 3]), 1)
    items = model.item_set()
    assert not items.ids_IV[[0, 4, 5, 6, 7, 8, 9]].any()
    assert items.ids_IV[[1, 2, 3]].all()
    model.train()
    assert model.item_set().ids_IV[1:].all()


def test_without_content_the_id_stays():
    model = build("id").eval()
    model.items.note_events(torch.tensor([1, 2, 3]), 1)
    assert model.item_set().ids_IV[1:].all()


def test_id_dropout_leaves_out_whole_ids_during_training_alone():
    model = build("sum", id_dropout=0.5)
    ids = model.item_set().ids_IV[1:]
    dropped = ~ids.any(1)
    assert 0 < dropped.sum() < 9
    assert torch.equal(ids[~dropped], model.items.ids.weight[1:][~dropped])
    assert model.eval().item_set().ids_IV[1:].all()
