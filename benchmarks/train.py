"""Speed and memory of training and ranking on synthetic data of the size of Amazon Beauty.

    python benchmarks/train.py [--json]

Two forms have the settings of PRISM's release: width 256, 1 layer, 4 heads, window 100, batch 256, binary cross-entropy
with one negative, PRISM over two modalities of 512 numbers. `published` pools over the history and scores candidates by
id; `content` is the form of this library, causal, its candidates scored by id and components. Two others are id-only
SASRec with the full softmax, as wide and deep as in recipes/beauty-id.yaml: `softmax`, and `softmax-bfloat16`, which
computes it in bfloat16. Each runs in a process of its own, so that its peak memory is its own. The speed of a
2048 x 2048 float32 product stands beside, so that machines compare.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.devices import give_back_memory, let_threads_sleep, use_huge_pages
from prism_rec.rank import Ranker
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

USERS, ITEMS, INTERACTIONS = 22_363, 12_101, 198_502


def release(fusion: str, candidates: str) -> dict[str, object]:
    """Return the settings of PRISM's release."""
    backbone = {"kind": "sasrec", "form": "post_norm", "layers": 1, "heads": 4, "dropout": 0.3}
    model = {"width": 256, "max_length": 100, "candidates": candidates, "fusion": {"kind": fusion}}
    return {
        "model": {**model, "backbone": backbone},
        "objective": {"kind": "bce", "negatives": 1},
        "train": {"batch_size": 256},
    }


def softmax(precision: str) -> dict[str, object]:
    """Return the settings of id-only SASRec with the full softmax."""
    model = {"width": 64, "max_length": 50, "candidates": "id", "fusion": {"kind": "id"}}
    return {
        "model": {**model, "backbone": {"kind": "sasrec", "layers": 2, "dropout": 0.6}},
        "objective": {"kind": "cross_entropy", "precision": precision},
        "train": {"batch_size": 512},
    }


FORMS = {
    "published": release("prism_published", "id"),
    "content": release("prism_experts", "content"),
    "softmax": softmax("float32"),
    "softmax-bfloat16": softmax("bfloat16"),
}


def make_histories(random: np.random.Generator) -> Histories:
    """Draw training histories: at least 3 items, a geometric tail, popular items more often."""
    extra = INTERACTIONS - 5 * USERS
    lengths = 3 + random.multinomial(extra, random.dirichlet(np.full(USERS, 0.5)))
    weights = 1 / np.arange(1, ITEMS + 1) ** 0.7
    items = random.choice(ITEMS, size=lengths.sum(), p=weights / weights.sum()) + 1
    return Histories(items.astype(np.int64), np.concatenate([[0], lengths.cumsum()]))


def make_features(random: np.random.Generator) -> dict[str, FeatureTable]:
    """Draw unit vectors for every item."""
    tables = {}
    for name in ("image", "text"):
        vectors = random.standard_normal((ITEMS + 1, 512), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[0] = 0
        tables[name] = FeatureTable(vectors, np.arange(ITEMS + 1) > 0)
    return tables


def measure(form: str) -> dict[str, float]:
    """Train one epoch after a warm-up of some batches, then rank every user."""
    config = RunConfig.parse(FORMS[form], form)
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    histories = make_histories(random)
    model = config.model.build(ITEMS, make_features(random))
    objective = config.objective.build()
    objective.begin_training(model, histories)
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, config.train)
    plan = BatchPlan(model.max_length, config.train.batch_size, seed=0)
    warm_up = Histories(histories.items[: histories.offsets[2048]], histories.offsets[:2049])
    for part in (warm_up, histories):
        record = train_epoch(step, optimizer, TrainingBatches(part, plan), 1, config.train)
    began = time.perf_counter()
    Ranker(model).rank(histories, random.integers(1, ITEMS + 1, USERS))
    return {
        "train.users_per_second": round(USERS / record.seconds),
        "rank.users_per_second": round(USERS / (time.perf_counter() - began)),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def measure_product() -> int:
    """Return the speed of a 2048 x 2048 float32 matrix product in GFLOP/s, the best of several."""
    left, right = torch.randn(2, 2048, 2048).unbind()
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - began)
    return round(2 * 2048**3 / min(seconds) / 1e9)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--form", choices=FORMS, help="measure this form alone, in this process")
    arguments = parser.parse_args()
    use_huge_pages()  # as the command line does
    give_back_memory()
    let_threads_sleep()  # in the processes of the forms
    if arguments.form:
        print(json.dumps(measure(arguments.form)))
        return
    results: dict[str, float] = {
        "matrix_product_gflops": measure_product(),
        "threads": torch.get_num_threads(),
    }
    for form in FORMS:
        output = subprocess.run(
            [sys.executable, __file__, "--form", form], check=True, capture_output=True, text=True
        ).stdout
        prefix = "" if form == "published" else f"{form}."
        results |= {prefix + key: value for key, value in json.loads(output).items()}
    if arguments.json:
        print(json.dumps(results))
    else:
        print("\n".join(f"{key:32} {value:,}" for key, value in results.items()))


if __name__ == "__main__":
    main()
