"""The training loop and what it leaves behind."""

from prism_rec.train.config import RunConfig, TrainConfig
from prism_rec.train.loop import EpochRecord, Listener, fit

__all__ = ["EpochRecord", "Listener", "RunConfig", "TrainConfig", "fit"]
