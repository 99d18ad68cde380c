"""Does each expert of PRISM hold the part that it is named for? Probes on planted data with known parts.

    python benchmarks/probe.py [--seeds 5] [--json]

Each item has four bits: one in its picture, one in its text, one in both, and one that is the exclusive or of a bit in
each. Each user chooses items by one of the four. A model is trained to recommend, and a logistic probe reads each bit
from each expert's component. If the largest number of a row is below the expert of the same name, that expert holds its
part best. Without interaction losses, nothing decides which expert holds which part.
"""

import argparse
import json

import numpy as np
import torch

from prism_rec.explain.planted_parts import plant_parts
from prism_rec.explain.probes import learn, probe_experts
from prism_rec.training import RunConfig

LABELS = (24, 300)
NONE = {"unique": 0.0, "redundancy": 0.0, "synergy": 0.0}
STRONG = {"unique": 1.0, "redundancy": 0.3, "synergy": 0.1}
VARIANTS = {
    "lambdas 1, 0.3, 0.1; margin 1; mask mean": {"lambdas": STRONG, "margin": 1.0, "mask": "mean"},
    "lambdas 1, 0.3, 0.1; margin 1; mask random": {"lambdas": STRONG, "margin": 1.0},
    "the same on predictions": {"lambdas": STRONG, "margin": 1.0, "losses_on": "prediction"},
    "lambdas 0.1; margin 0.5; mask random (as by default)": {},
    "lambdas 0": {"lambdas": NONE},
}


def settings(fusion: dict[str, object], seed: int) -> RunConfig:
    """Return a small model, trained without dropout."""
    prism = {"kind": "prism_experts", "hidden": 32, "dropout": 0.0, "gate_dropout": 0.0, **fusion}
    return RunConfig.parse(
        {
            "model": {
                "width": 12,
                "max_length": 10,
                "fusion": prism,
                "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0.1},
            },
            "train": {"epochs": 20, "batch_size": 128, "learning_rate": 0.01, "seed": seed},
        }
    )


def measure(fusion: dict[str, object], seed: int) -> dict[int, dict[str, dict[str, float]]]:
    """Train on data of one seed and probe with few labels and with many."""
    planted = plant_parts(seed=seed)
    model = learn(settings(fusion, seed), planted)
    return {labels: probe_experts(model, planted.bits, labels) for labels in LABELS}


def show(variant: str, labels: int, found: list[dict[str, dict[str, float]]]) -> None:
    """Print the mean over seeds, a row a bit, and how often its own expert was the best."""
    names = list(found[0])
    print(f"\n{variant}; probes of {labels} labels, {len(found)} seeds")
    print(f"{'bit':14}" + "".join(f"{name:>14}" for name in names) + "   own is best")
    for bit in names:
        means = [np.mean([each[bit][name] for each in found]) for name in names]
        best = sum(max(each[bit], key=each[bit].__getitem__) == bit for each in found)
        print(f"{bit:14}" + "".join(f"{mean:14.3f}" for mean in means) + f"   {best} of {len(found)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {
        variant: [measure(fusion, seed) for seed in range(options.seeds)]
        for variant, fusion in VARIANTS.items()
    }
    if options.json:
        print(json.dumps(results))
        return
    for variant, found in results.items():
        for labels in LABELS:
            show(variant, labels, [each[labels] for each in found])


if __name__ == "__main__":
    main()
