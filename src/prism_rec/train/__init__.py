"""The training loop and the run folder that it leaves behind."""

from prism_rec.train.config import RunConfig, TrainConfig
from prism_rec.train.loop import EpochRecord, Listener, fit, stopped_by
from prism_rec.train.run import Run, load_run, train_run

__all__ = [
    "EpochRecord",
    "Listener",
    "Run",
    "RunConfig",
    "TrainConfig",
    "fit",
    "load_run",
    "stopped_by",
    "train_run",
]
