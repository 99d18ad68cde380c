import pytest

from prism_rec.jobs.local import LocalJobs
from prism_rec.jobs.ray import RayJobs
from prism_rec.jobs.settings import JobEngineConfig
from prism_rec.testing import JobEngineContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestLocalJobs(JobEngineContract):
    config = LocalJobs()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
class TestRayJobs(JobEngineContract):
    config = RayJobs()

    @pytest.fixture(scope="class", autouse=True)
    def cluster(self):
        ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'prism-rec[ray]'")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves them for minutes on a busy machine
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def test_every_registered_engine_has_a_contract_test():
    assert_every_one_has_a_contract_test(JobEngineConfig, JobEngineContract, globals())
