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
class TestRayEngine(EngineContract):
    config = RayEngine(workers=2)

    @pytest.fixture(scope="class", autouse=True)
    def cluster(self):
        ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'prism-rec[ray]'")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves them for minutes on a busy machine
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def test_every_registered_engine_has_a_contract_test():
    assert_every_one_has_a_contract_test(EngineConfig, EngineContract, globals())
