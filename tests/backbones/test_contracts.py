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
