"""A comparison made up of ranks, without any training."""

from collections.abc import Mapping

import numpy as np

from prism_rec.comparison.comparison import Arm, Comparison, summarise
from prism_rec.comparison.recipe import Recipe
from prism_rec.comparison.result import CellResult
from prism_rec.evaluation.slices import Slice
from prism_rec.explain.gate_weights import GateWeights
from prism_rec.training import EpochRecord, RunConfig

GATE = GateWeights(
    components=("unique:text", "redundancy"),
    mean=(0.25, 0.75),
    quantiles=((0.1, 0.2, 0.25, 0.3, 0.4), (0.6, 0.7, 0.75, 0.8, 0.9)),
    histogram=((0, 0, 30, 0, 30, 0, 0, 0, 40, *[0] * 11), (*[0] * 14, 100, 0, 0, 0, 0, 0)),
)


def compare_ranks(ranks: Mapping[str, list[list[int]]], **recipe: object) -> Comparison:
    """Return the comparison of models by the ranks [S, Q] that each gave to its targets."""
    seeds = len(next(iter(ranks.values())))
    settings = {
        "models": {model: {} for model in ranks},
        "data": {"films": "films"},
        "seeds": list(range(seeds)),
    }
    arms = [
        Arm("films", model, tuple(_result(model, seed) for seed in range(seeds)), np.array(ranks[model]))
        for model in ranks
    ]
    users = arms[0].ranks_SQ.shape[1]
    parts = [
        Slice("history:short", "at most 3 items", np.arange(users) < users // 2),
        Slice("missing:text", "the target lacks text", np.arange(users) < 3),
        Slice("missing:none", "nobody", np.zeros(users, bool)),
    ]
    made = Recipe.parse({"reference": next(iter(ranks)), **settings, **recipe}, "made up")
    return summarise(made, arms, {"films": parts})


def _result(model: str, seed: int) -> CellResult:
    epochs = tuple(
        EpochRecord(epoch, 5.0 / epoch, 0.0, 1.5, {"ndcg@10": 0.01 * epoch}) for epoch in range(1, 5)
    )
    return CellResult(
        version="0",
        data="films",
        model=model,
        seed=seed,
        config=RunConfig().model_dump(mode="json"),
        loss="bce",
        negatives=1,
        device="cpu",
        threads=1,
        parameters=1234,
        peak_memory_mb=100 + seed,
        training_seconds=6.0 + seed,
        testing_seconds=0.5,
        best_epoch=4,
        stopped_by="epochs",
        epochs=epochs,
        test={"metrics": {"ndcg@10": 0.1, "coverage@10": 0.5}, "users": 100},
        gate=GATE if model == "prism" else None,
        ranks_sha256="",
    )
