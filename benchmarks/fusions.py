"""Processor time of a training step with each fusion, against `sum`.

    python benchmarks/fusions.py DATA

DATA is a prepared dataset with vectors or words. SASRec (D 64, two layers, window 50), full softmax in bfloat16,
batches of 512 users, one thread. The steps of all fusions take turns, so that a change of the machine's speed reaches
all of them.
"""

import sys
import time

import numpy as np
import torch

from prism_rec import Dataset, RunConfig
from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

FUSIONS = {
    "sum": {"kind": "sum"},
    "prism": {"kind": "prism"},
    "prism, gate personal": {"kind": "prism", "gate": "personal"},
    "prism_nested": {"kind": "prism_nested"},
    "prism_experts": {"kind": "prism_experts"},
}
STEPS = 9


def main(folder: str) -> None:
    torch.set_num_threads(1)
    data = Dataset.load(folder)
    runs = []
    for fusion in FUSIONS.values():
        config = RunConfig.parse(
            {
                "model": {"width": 64, "max_length": 50, "fusion": fusion, "backbone": {"kind": "sasrec"}},
                "objective": {"kind": "cross_entropy", "precision": "bfloat16"},
                "train": {"batch_size": 512},
            }
        )
        torch.manual_seed(0)
        model = config.model.build(data.number_of_items, data.features)
        model.begin_fusion()
        objective = config.objective.build()
        objective.begin_training(model, data.training())
        step = TrainStep(model, objective).train()
        plan = BatchPlan(model.max_length, config.train.batch_size, seed=0)
        batches = iter(TrainingBatches(data.training(), plan).epoch(1))
        runs.append((step, make_optimizer(step, config.train), batches))
    seconds = np.zeros((STEPS, len(runs)))
    for turn in range(STEPS):
        for place, (step, optimizer, batches) in enumerate(runs):
            batch = next(batches)
            began = time.process_time()
            losses = step(batch)
            (losses.recommendation + losses.interaction).backward()
            optimizer.step()
            optimizer.zero_grad()
            seconds[turn, place] = time.process_time() - began
    usual = np.median(seconds[1:], axis=0)  # the first step of each allocates memory
    for name, of_one in zip(FUSIONS, usual, strict=True):
        print(f"{name:22s} {of_one:.3f} s  x{of_one / usual[0]:.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
