"""Ranking reads the table of ids itself, training a copy of the rows that get gradients."""

import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.fusion.baselines import IdFusionConfig
from prism_rec.testing.checks import HISTORIES, build_model, read


def test_the_keys_of_the_whole_catalogue_are_the_table_of_ids_unless_gradients_are_needed() -> None:
    model = build_model(IdFusionConfig(), SASRecConfig(layers=1))
    table = model.items.ids.weight
    with torch.no_grad():
        (group,) = model.keys(model.item_set())
        some = model.item_set(torch.tensor([3, 5]), torch.tensor([7]))
    assert group.keys_IK.data_ptr() == table[1:].data_ptr()
    assert some.ids_IV.data_ptr() != table.data_ptr()
    reading = read(model.train(), HISTORIES)
    assert reading.items.ids_IV.data_ptr() != table.data_ptr()
    model.encode(reading).states.sum().backward()
    assert not table.grad[0].any(), "padding stays zero"
