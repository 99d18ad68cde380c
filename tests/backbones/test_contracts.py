from typing import Literal

import pytest
from torch import nn

from prism_rec.backbones.base import Backbone, BackboneSettings
from prism_rec.backbones.bsarec import BSARecConfig
from prism_rec.backbones.esasrec import ESASRecConfig
from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.hstu import HSTUConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.model.config import BackboneConfig
from prism_rec.testing import BackboneContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestOriginalSASRec(BackboneContract):
    config = SASRecConfig(form="original", layers=2, heads=2)


class TestPostNormSASRec(BackboneContract):
    config = SASRecConfig(form="post_norm", layers=2, heads=4, attention_dropout=0.2)


class TestSASRecCountedFromTheLast(BackboneContract):
    config = SASRecConfig(form="original", layers=1, positions="last")
    knows_what_follows = True


class TestESASRec(BackboneContract):
    config = ESASRecConfig(layers=2, heads=2)


class TestBSARec(BackboneContract):
    config = BSARecConfig(heads=2)


class TestPrefixBSARec(BackboneContract):
    config = BSARecConfig(form="prefix", positions="last")


class TestGRU4Rec(BackboneContract):
    config = GRU4RecConfig(layers=2, hidden=5)


class TestHSTU(BackboneContract):
    config = HSTUConfig(layers=2, heads=2)


class TestWassersteinStosa(BackboneContract):
    config = StosaConfig(layers=2, heads=2)
    without_gradient = ()


class TestKullbackLeiblerStosa(BackboneContract):
    config = StosaConfig(distance="kl", heads=2)
    without_gradient = ()


def test_every_registered_backbone_has_a_contract_test():
    assert_every_one_has_a_contract_test(BackboneConfig, BackboneContract, globals())


class _Mean(Backbone):
    """A map of the mean over the latest two items."""

    def __init__(self, width):
        super().__init__()
        self.output = nn.Linear(width, width)

    def forward(self, inputs_BLD, lengths_B):
        before = nn.functional.pad(inputs_BLD, (0, 0, 1, 0))[:, :-1]
        return self.output(inputs_BLD + before)

    def initialise(self, module):
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)


class MeanOfTwoConfig(BackboneSettings):
    """Settings."""

    kind: Literal["mean_of_two"] = "mean_of_two"
    """Name."""

    def build(self, width, max_length):
        return _Mean(width)


@pytest.mark.parametrize(
    ("reach", "problem"), [(2, None), (None, "set `reach`"), (3, "`reach`"), (1, "beyond")]
)
def test_a_backbone_of_the_latest_items_keeps_the_contract_with_its_reach(reach, problem):
    class OfTwo(BackboneContract):
        config = MeanOfTwoConfig()

    contract = OfTwo()
    contract.reach = reach
    if problem is None:
        contract.test_a_state_sees_positions_up_to_itself_only()
    else:
        with pytest.raises(AssertionError, match=problem):
            contract.test_a_state_sees_positions_up_to_itself_only()
