from prism_rec.fusion.baselines import ConcatFusionConfig, GateFusionConfig, IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.losses import Lambdas
from prism_rec.fusion.prism.nested import NestedPrismConfig
from prism_rec.fusion.prism.prism import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model.config import FusionConfig
from prism_rec.testing import FusionContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test

EVERY_LAMBDA = Lambdas(unique=0.3, redundancy=0.5, synergy=0.6)


class TestIdFusion(FusionContract):
    config = IdFusionConfig()


class TestSumFusion(FusionContract):
    config = SumFusionConfig()


class TestConcatFusion(FusionContract):
    config = ConcatFusionConfig()


class TestGateFusion(FusionContract):
    config = GateFusionConfig()


class TestGateFusionOfTheItem(FusionContract):
    config = GateFusionConfig(sees="item", temperature=2.0)


class TestExpertPrismFusion(FusionContract):
    config = ExpertPrismConfig(hidden=6, lambdas=EVERY_LAMBDA)


class TestExpertPrismFusionOfTheItem(FusionContract):
    config = ExpertPrismConfig(hidden=6, sees="item", triplet_distance="euclidean", margin=1.0)


class TestExpertPrismFusionOnPredictions(FusionContract):
    config = ExpertPrismConfig(hidden=6, losses_on="prediction", mask="mean")


class TestExpertPrismFusionWithoutAnExpert(FusionContract):
    config = ExpertPrismConfig(hidden=6, without=("redundancy",), lambdas=EVERY_LAMBDA)


class TestExpertPrismFusionWithoutItsGate(FusionContract):
    config = ExpertPrismConfig(hidden=6, adaptive=False)


class TestPublishedPrismFusion(FusionContract):
    config = PublishedPrismConfig(hidden=6)


class TestNestedPrismFusion(FusionContract):
    config = NestedPrismConfig(hidden=6, gate_hidden=5, penalty=0.2, lambdas=EVERY_LAMBDA)


class TestNestedPrismFusionWithoutItsGate(FusionContract):
    config = NestedPrismConfig(hidden=6, gate="none")


class TestPrismFusion(FusionContract):
    config = PrismConfig(products=5)


class TestPrismFusionWithItsGate(FusionContract):
    config = PrismConfig(products=5, gate="personal")


def test_every_registered_fusion_has_a_contract_test():
    assert_every_one_has_a_contract_test(FusionConfig, FusionContract, globals())
