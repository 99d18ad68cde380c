"""Data without validation and test targets: all of it is for training, and nothing is measured on it."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest

from prism_rec.cli.train import show
from prism_rec.data import Dataset, Split
from prism_rec.data.histories import Histories
from prism_rec.data.split import LeaveOneOut, Times
from prism_rec.errors import InputError
from prism_rec.runs.evaluate import evaluate
from prism_rec.runs.train import train
from runs.test_warm_start import settings, shop


class Everything(LeaveOneOut):
    """No cut at all."""

    kind: Literal["leave-one-out"] = "leave-one-out"
    """Name of the split."""
    shortest_history: ClassVar[int] = 1

    def cut(self, histories: Histories, timestamps: Times) -> Split:
        none = np.full(len(histories), -1)
        return Split(histories.lengths, histories.lengths, none, none)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return replace(shop([f"i{n}" for n in range(8)], 12, seed=0), rule=Everything())


def test_a_model_is_trained_on_everything_for_all_epochs(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dataset.training().lengths.sum() == len(dataset.interactions)
    run = train(settings(3), tmp_path / "run", data=dataset, device="cpu")
    manifest = run.folder.read_manifest()
    assert (manifest["epochs"], manifest["best_epoch"], manifest["validation"]) == (3, 3, {})
    assert not any(record.validation for record in run.folder.read_log())
    one = train(settings(1), tmp_path / "one", data=dataset, device="cpu")
    assert not one.model.items.ids.weight.equal(run.model.items.ids.weight)
    show(run, as_json=False)
    assert "trained on everything for 3 epochs" in capsys.readouterr().out


def test_what_cannot_be_measured_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    run = train(settings(1), tmp_path / "run", data=dataset, device="cpu")
    with pytest.raises(InputError, match="no test targets"):
        evaluate(run)
    with pytest.raises(InputError, match="no validation targets"):
        dataset.require_targets("validation", "test")
