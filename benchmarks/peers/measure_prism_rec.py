"""Speed of this library's SASRec; called by compare.py with a file of questions and the settings as JSON."""

import json
import resource
import sys
import time

from prism_rec.devices import give_back_memory, let_threads_sleep, use_huge_pages

use_huge_pages()
give_back_memory()
let_threads_sleep()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from prism_rec.batches import BatchPlan, TrainingBatches  # noqa: E402
from prism_rec.data.histories import Histories  # noqa: E402
from prism_rec.rank import Ranker  # noqa: E402
from prism_rec.training.config import RunConfig  # noqa: E402
from prism_rec.training.loop import train_epoch  # noqa: E402
from prism_rec.training.optimizer import make_optimizer  # noqa: E402# noqa: E402
from prism_rec.training.step import TrainStep  # noqa: E402


def main(path: str, settings: dict) -> dict[str, float]:
    torch.set_num_threads(settings["threads"])
    questions = np.load(path)
    histories = Histories(questions["items"], questions["offsets"])
    backbone = {
        "kind": "sasrec",
        "layers": settings["layers"],
        "heads": settings["heads"],
        "dropout": settings["dropout"],
    }
    config = RunConfig.parse(
        {
            "model": {
                "width": settings["width"],
                "max_length": settings["max_length"],
                "candidates": "id",
                "fusion": {"kind": "id"},
                "backbone": backbone,
            },
            "objective": {"kind": {"softmax": "cross_entropy", "bce": "bce"}[settings["loss"]]},
            "train": {"batch_size": settings["batch_size"]},
        }
    )
    torch.manual_seed(0)
    model = config.model.build(int(questions["number_of_items"]), {})
    objective = config.objective.build()
    objective.begin_training(model, histories)
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, config.train)
    batches = TrainingBatches(histories, BatchPlan(model.max_length, config.train.batch_size, seed=0))
    seconds = [train_epoch(step, optimizer, batches, epoch, config.train).seconds for epoch in (1, 2)]
    asked = Histories(questions["asked_items"], questions["asked_offsets"])
    began = time.perf_counter()
    Ranker(model).rank(asked, questions["targets"], k=10)
    return {
        "trained": len(histories) / min(seconds),
        "ranked": len(asked) / (time.perf_counter() - began),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
