"""A small training run for tests; as a script, one that can be killed and started again: killable.py FOLDER."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prism_rec.events import Events
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker
from prism_rec.runs.folder import RunFolder
from prism_rec.testing import plant_first_tells_last
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import AfterEpoch, EpochRecord, fit

SETTINGS: dict[str, Any] = {
    "model": {
        "width": 16,
        "max_length": 3,
        "fusion": {"kind": "prism_experts", "hidden": 8},
        "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0.3},
    },
    "objective": {"kind": "bce"},
    "train": {"epochs": 20, "batch_size": 16, "learning_rate": 0.01, "patience": 20, "metric": "recall@5"},
}


def run_small(
    folder: Path,
    after_epoch: AfterEpoch | None = None,
    events: Events = Events(),
    **changes: Mapping[str, Any],
) -> tuple[SequenceRecommender, list[EpochRecord]]:
    """Train in a folder, or continue there; sections in `changes` replace settings of the same name."""
    run = RunConfig.parse({key: {**value, **changes.get(key, {})} for key, value in SETTINGS.items()}, "here")
    planted = plant_first_tells_last()
    histories, answers = planted.questions()

    def validate(model: SequenceRecommender) -> dict[str, float]:
        ranks = Ranker(model).rank(histories, answers).ranks
        return {"recall@5": float(np.mean(ranks <= 5)), "mrr@5": float(np.mean((ranks <= 5) / ranks))}

    torch.manual_seed(run.train.seed)
    model = run.model.build(planted.number_of_items, planted.features)
    files = RunFolder(folder)
    return model, fit(
        model,
        run.objective.build(),
        planted.histories,
        run.train,
        validate,
        files.last,
        files.best,
        after_epoch,
        events,
    )


def announce(records: Sequence[EpochRecord]) -> None:
    """Say which epoch is over, so that the process that waits knows when to kill this one."""
    sys.stdout.write(f"{len(records)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_small(Path(sys.argv[1]), announce)
