"""Defects of PRISM's released code in data, negatives, ranking and evaluation; `test_model.py` lists all 22."""

import ast
from pathlib import Path

import numpy as np
import polars as pl
import torch

import prism_rec
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.batches import BatchPlan, NegativeSampler, TrainingBatches
from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import Histories
from prism_rec.fusion.prism import common as prism_common
from prism_rec.model.config import ModelConfig
from prism_rec.rank import Ranker
from prism_rec.testing.checks import (
    ITEMS,
    build_model,
    read,
)
from published.small import PRISM, SASREC, TRAINING


def test_defect_09_neither_seen_items_nor_padding_are_candidates(model):
    """Also if every score is negative."""
    model = model.float()
    with torch.no_grad():
        model.items.ids.weight[1:] = -model.encode_last(read(model, [(3, 5)])).states.mean(0)
    seen = Histories.from_lists([[3, 5], [1, 2, 3, 4]])
    top = Ranker(model).rank(seen, np.array([6, 7]), k=ITEMS).top
    for user, row in enumerate(top):
        offered = row[row > 0]
        assert not set(offered) & set(seen[user])
        assert len(offered) == ITEMS - len(set(seen[user]))


def test_defect_14_every_user_is_evaluated_by_the_full_view_only(monkeypatch):
    model = build_model(PRISM, SASREC, dtype=torch.float32)

    def never(*_, **__):
        raise AssertionError("a masked view was made")

    monkeypatch.setattr(prism_common, "masked_views", never)
    chance = torch.get_rng_state()
    users = Histories.from_lists([[1, 2], [3], [4, 5], [6], [7]])
    targets = np.array([3, 4, 6, 7, 8])
    ranks = Ranker(model, batch_size=2).rank(users, targets).ranks
    assert ((ranks >= 1) & (ranks <= ITEMS)).all()
    assert np.array_equal(Ranker(model, batch_size=5).rank(users, targets).ranks, ranks)
    assert torch.equal(torch.get_rng_state(), chance)


def test_defect_15_negatives_are_items_and_batches_as_long_as_their_histories():
    sampler = NegativeSampler(TRAINING, ITEMS, torch.device("cpu"))
    torch.manual_seed(0)
    drawn = sampler.draw(torch.arange(len(TRAINING)), 500)
    assert (int(drawn.min()), int(drawn.max())) == (1, ITEMS)
    for batch in TrainingBatches(TRAINING, BatchPlan(100, 2, seed=0)).epoch(1):
        assert batch.items_P.all()
        assert len(batch.items_P) == batch.lengths_B.sum()


def test_defect_16_nothing_in_a_file_is_ever_executed():
    """The package calls no `eval`, `exec` or `compile`, and loads no pickle."""
    safe = {"np.load": "allow_pickle=False", "torch.load": "weights_only=True"}
    for file in Path(prism_rec.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"eval", "exec", "compile"}, f"{file}:{node.lineno}"
                settings = [ast.unparse(keyword) for keyword in node.keywords]
                assert called not in safe or safe[called] in settings, f"{file}:{node.lineno}"


def test_defect_19_negatives_avoid_training_items_only():
    """The items of validation and test can be drawn, because training does not know them."""
    rows = [("a", item, time) for time, item in enumerate("vwxyz")] + [
        ("b", "v", 0),
        ("b", "w", 1),
        ("b", "x", 2),
    ]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    dataset = Dataset.from_frame(log)
    sampler = NegativeSampler(dataset.training(), dataset.number_of_items, torch.device("cpu"))
    torch.manual_seed(0)
    drawn = set(sampler.draw(torch.tensor([0]), 100)[0].tolist())
    held_out = {int(dataset.queries(part).targets[0]) for part in ("validation", "test")}
    assert drawn == held_out == {4, 5}


def test_defect_21_each_split_is_masked_by_its_own_history():
    rows = [("a", item, time) for time, item in enumerate("vwxyz")]
    dataset = Dataset.from_frame(pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row"))
    model = ModelConfig(width=8, backbone=SASRecConfig(layers=1)).build(dataset.number_of_items, {})
    left = {}
    for part in ("validation", "test"):
        questions = dataset.queries(part)
        top = Ranker(model).rank(questions.histories, questions.targets, k=5).top[0]
        left[part] = set(top[top > 0].tolist())
    assert left == {"validation": {4, 5}, "test": {5}}


def test_defect_22_the_core_is_a_fixed_point():
    """The first pass drops v, the second d, who has only z left, and the third z, which only c has left."""
    histories = {"a": "xyw", "b": "xyw", "c": "xywz", "d": "zv"}
    rows = [(user, item) for user, items in histories.items() for item in items]
    log = pl.DataFrame(
        [(user, item, time) for time, (user, item) in enumerate(rows)],
        schema=["user_id", "item_id", "timestamp"],
        orient="row",
    )
    dataset = Dataset.from_frame(log, core=2)
    assert dataset.users["user_id"].to_list() == ["a", "b", "c"]
    assert dataset.items["item_id"].to_list() == ["x", "y", "w"]
