"""CPU seconds per training step with keys of D numbers and of 2 D, the two in turn: python benchmarks/keys.py."""

import statistics
import time

import numpy as np
import torch

from prism_rec.batches import BatchPlan
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.training.config import RunConfig
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

ITEMS, USERS, STEPS = 12_101, 22_363, 9


def table(width: int, random: np.random.Generator) -> FeatureTable:
    vectors = random.standard_normal((ITEMS + 1, width), np.float32) * width**-0.5
    vectors[0] = 0
    return FeatureTable(vectors, np.arange(ITEMS + 1) > 0)


def step_seconds(objective: str, width: int) -> dict[str, float]:
    """Return the median process time of a step by form, data of the size of Beauty, batches of 512 users."""
    random = np.random.default_rng(0)
    lists = [random.integers(1, ITEMS + 1, 3 + random.poisson(4)) for _ in range(USERS)]
    histories = Histories.from_lists(lists)
    features = {"image": table(512, random), "text": table(384, random)}
    run = RunConfig.parse(
        {"model": {"width": width, "fusion": {"kind": "sum"}}, "objective": {"kind": objective}}, "here"
    )
    ready = {}
    for form in ("2 D", "D"):
        torch.manual_seed(0)
        model, made = run.model.build(ITEMS, features), run.objective.build()
        model.summed = form == "D"
        made.begin_training(model, histories)
        step = TrainStep(model, made).train()
        batches = made.batches(histories, BatchPlan(50, 512, 0)).epoch(1)
        ready[form] = step, make_optimizer(step, run.train), batches, []
    for _ in range(STEPS):
        for step, optimizer, batches, seconds in ready.values():
            batch = next(batches)
            began = time.process_time()
            loss = sum(step(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seconds.append(time.process_time() - began)
    return {form: statistics.median(seconds[2:]) for form, (*_, seconds) in ready.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for objective in ("cross_entropy", "bce"):
        for width in (64, 256):
            found = step_seconds(objective, width)
            print(objective, "D", width, {form: round(value, 3) for form, value in found.items()})
