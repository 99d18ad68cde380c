"""Speed of RecTools' SASRec; runs in the environment that compare.py makes for it."""

import json
import resource
import sys
import time

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

EPOCHS = []  # seconds of the only one


class Clock(Callback):
    """Takes the time of the epoch, without the preparation before it."""

    def on_train_epoch_start(self, *_):
        self.began = time.perf_counter()

    def on_train_epoch_end(self, *_):
        EPOCHS.append(time.perf_counter() - self.began)


def make_trainer():
    return Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Clock()],
    )


def interactions(items, offsets):
    lengths = np.diff(offsets)
    places = np.arange(len(items)) - np.repeat(offsets[:-1], lengths)
    return pd.DataFrame(
        {
            Columns.User: np.repeat(np.arange(len(lengths)), lengths),
            Columns.Item: items,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp("2020-01-01") + pd.to_timedelta(places, unit="D"),
        }
    )


def main(path, settings):
    torch.set_num_threads(settings["threads"])
    questions = np.load(path)
    model = SASRecModel(
        n_blocks=settings["layers"],
        n_heads=settings["heads"],
        n_factors=settings["width"],
        dropout_rate=settings["dropout"],
        session_max_len=settings["max_length"],
        loss={"softmax": "softmax", "bce": "BCE"}[settings["loss"]],
        batch_size=settings["batch_size"],
        epochs=1,
        get_trainer_func=make_trainer,
    )
    model.fit(Dataset.construct(interactions(questions["items"], questions["offsets"])))
    asked = Dataset.construct(interactions(questions["asked_items"], questions["asked_offsets"]))
    users = np.arange(len(questions["targets"]))
    began = time.perf_counter()
    model.recommend(users=users, dataset=asked, k=10, filter_viewed=True)
    return {
        "trained": len(users) / min(EPOCHS),
        "ranked": len(users) / (time.perf_counter() - began),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
