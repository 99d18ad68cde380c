"""An item without evidence for its id is scored by its content."""

import torch

from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.testing import plant_features

KNOWN = torch.tensor([0, 1, 2, 3, 0, 0, 0, 0, 0, 0])
"""Training events of padding and of nine items; items 4 and 8 have no content."""


def build(kind: str = "sum", events: torch.Tensor = KNOWN, **settings: object) -> SequenceRecommender:
    torch.manual_seed(0)
    model = {"width": 8, "max_length": 5, "fusion": {"kind": kind}, **settings}
    built = ModelConfig.parse(model).build(9, plant_features(9)).eval()
    built.items.note_events(events)
    return built


def with_an_id(model: SequenceRecommender) -> list[int]:
    return model.item_set().ids_IV.any(1).nonzero().flatten().tolist()


def test_whether_ids_are_unknown_follows_every_change_of_the_tables() -> None:
    """The answer is kept, as a request would read the whole catalogue otherwise; so it must not go stale."""
    table = build(events=torch.ones(10, dtype=torch.long)).items
    assert not table.some_without_id
    table.note_events(KNOWN)
    assert table.some_without_id
    table.known_N = torch.ones(10, dtype=torch.bool)
    assert not table.some_without_id
    table.load_state_dict({**table.state_dict(), "known_N": KNOWN > 0})
    assert table.some_without_id


def test_an_unknown_id_adds_nothing_after_training() -> None:
    model = build()
    assert with_an_id(model) == [1, 2, 3, 4, 8]
    assert with_an_id(model.train()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_the_number_of_events_that_an_id_needs_is_a_setting() -> None:
    assert with_an_id(build(id_events=3)) == [3, 4, 8]
    assert with_an_id(build(id_events=0)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_ids_stay_if_nothing_else_is_scored_or_if_scores_are_distances() -> None:
    everything = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert with_an_id(build("id")) == everything
    assert with_an_id(build("sum", candidates="id")) == everything
    assert with_an_id(build("sum", backbone={"kind": "stosa", "heads": 2})) == everything


def test_scores_of_an_unknown_id_are_those_of_its_content() -> None:
    model = build()
    reading = model.read(torch.tensor([1, 2, 5]), torch.tensor([3]))
    parts = model.contributions(model.encode_last(reading), torch.tensor([[3, 5, 6]]), reading.items)
    assert parts[0, :, 0].ne(0).tolist() == [True, False, False]
    assert parts[0, 1:].any()


def test_id_dropout_leaves_out_whole_ids_in_training_only() -> None:
    model = build(id_dropout=0.5).train()
    ids = model.item_set().ids_IV[1:]
    dropped = ~ids.any(1)
    assert 0 < dropped.sum() < 9
    assert torch.equal(ids[~dropped], model.items.ids.weight[1:][~dropped])
    assert with_an_id(model.eval()) == [1, 2, 3, 4, 8]
    assert len(with_an_id(build(id_dropout=0.5, candidates="id").train())) == 9
