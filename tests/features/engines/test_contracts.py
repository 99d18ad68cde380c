import pytest

from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.ray import RayEngine
from prism_rec.features.engines.settings import EngineConfig
from prism_rec.testing import EngineContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestLocalEngine(EngineContract):
    config = LocalEngine(workers=0, batch_size=2)


class TestLocalEngineWithWorkers(EngineContract):
    config = LocalEngine(workers=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.usefixtures("ray_cluster")
class TestRayEngine(EngineContract):
    config = RayEngine(workers=2)


def test_every_registered_engine_has_a_contract_test():
    assert_every_one_has_a_contract_test(EngineConfig, EngineContract, globals())
