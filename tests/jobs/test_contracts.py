import pytest

from prism_rec.jobs.local import LocalJobs
from prism_rec.jobs.ray import RayJobs
from prism_rec.jobs.settings import JobEngineConfig
from prism_rec.testing import JobEngineContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


@pytest.mark.slow
class TestLocalJobs(JobEngineContract):
    config = LocalJobs()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.usefixtures("ray_cluster")
class TestRayJobs(JobEngineContract):
    config = RayJobs()


def test_every_registered_engine_has_a_contract_test():
    assert_every_one_has_a_contract_test(JobEngineConfig, JobEngineContract, globals())
