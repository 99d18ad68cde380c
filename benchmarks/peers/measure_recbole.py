"""Speed of RecBole's SASRec; runs in the environment that compare.py makes for it."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer


def write_file(questions, folder):
    """Write every event: the training histories are the test questions' without their last item, plus the target."""
    items, offsets = questions["asked_items"], questions["asked_offsets"]
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user, target in enumerate(questions["targets"].tolist()):
        history = [*items[offsets[user] : offsets[user + 1]].tolist(), target]
        lines += [f"{user}\t{item}\t{place}" for place, item in enumerate(history)]
    (Path(folder) / "data").mkdir()
    (Path(folder) / "data" / "data.inter").write_text("\n".join(lines))


def main(path, settings):
    torch.set_num_threads(settings["threads"])
    questions = np.load(path)
    with tempfile.TemporaryDirectory() as folder:
        write_file(questions, folder)
        config = Config(
            model="SASRec",
            dataset="data",
            config_dict={
                "data_path": folder,
                "checkpoint_dir": folder,
                "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
                "MAX_ITEM_LIST_LENGTH": settings["max_length"],
                "hidden_size": settings["width"],
                "inner_size": settings["width"],
                "n_layers": settings["layers"],
                "n_heads": settings["heads"],
                "hidden_dropout_prob": settings["dropout"],
                "attn_dropout_prob": settings["dropout"],
                "loss_type": {"softmax": "CE", "bce": "BPR"}[settings["loss"]],
                "train_neg_sample_args": None
                if settings["loss"] == "softmax"
                else {"distribution": "uniform", "sample_num": 1},
                "train_batch_size": settings["batch_size"],
                "eval_batch_size": settings["batch_size"],
                "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
                "topk": [10],
                "use_gpu": False,
                "show_progress": False,
            },
        )
        dataset = create_dataset(config)
        train, _, test = data_preparation(config, dataset)
        model = SASRec(config, train.dataset)
        trainer = Trainer(config, model)
        began = time.perf_counter()
        trainer._train_epoch(train, 0)
        trained = time.perf_counter() - began
        began = time.perf_counter()
        trainer.evaluate(test, load_best_model=False)
        ranked = time.perf_counter() - began
    users = len(questions["targets"])
    return {
        "trained": users / trained,
        "ranked": users / ranked,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
