"""The engines of jobs that can be chosen, by `kind`. Packages add kinds in the group `prism_rec.job_engines`."""

from typing import Annotated

from prism_rec.jobs.engine import JobEngine
from prism_rec.jobs.local import LocalJobs
from prism_rec.jobs.ray import RayJobs
from prism_rec.plugins import Kinds

JobEngineConfig = Annotated[LocalJobs | RayJobs, Kinds("prism_rec.job_engines", JobEngine)]
"""An engine of jobs by its kind."""
