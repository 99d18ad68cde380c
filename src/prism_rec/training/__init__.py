"""The training loop: epochs, checkpoints and the settings of both."""

from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.loop import EpochRecord, fit, stopped_by

__all__ = ["EpochRecord", "RunConfig", "TrainConfig", "fit", "stopped_by"]
