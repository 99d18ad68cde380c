"""A search whose trials take a moment; as a script, one that can be killed: searching.py DATA FOLDER."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from prism_rec.train import EpochRecord
from prism_rec.tune import Search, SearchListener, tune

VALUES: dict[str, Any] = {
    "model": {"width": 8, "max_length": 6, "backbone": {"kind": "sasrec", "layers": 1, "heads": 2}},
    "train": {"epochs": 3, "patience": 3, "batch_size": 16},
    "tune": {
        "trials": 3,
        "space": {
            "train.learning_rate": {"kind": "log_uniform", "low": 1e-4, "high": 1e-1},
            "model.backbone.dropout": {"kind": "uniform", "low": 0.0, "high": 0.5},
            "model.backbone.layers": {"kind": "int", "low": 1, "high": 2},
            "train.optimizer": {"kind": "choice", "values": ["adam", "adamw"]},
        },
    },
}


class Announcer(SearchListener):
    """Says which epoch is over, so that whoever waits knows when to strike."""

    def on_epoch(self, records: Sequence[EpochRecord], best_epoch: int | None) -> None:
        sys.stdout.write(f"{len(records)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    tune(Search.parse(VALUES, "here"), Path(sys.argv[1]), Path(sys.argv[2]), "cpu", Announcer())
