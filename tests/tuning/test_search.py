from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from prism_rec.config import set_key
from prism_rec.errors import InputError
from prism_rec.tuning.search import Search, read_search
from tuning.searching import VALUES


class Lowest:
    """Suggests what is lowest, or first, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked.append((name, low, high, log))
        return low

    def suggest_int(self, name: str, low: int, high: int) -> int:
        self.asked.append((name, low, high))
        return low

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked.append((name, choices))
        return choices[0]


def change(**changes: Any) -> dict[str, Any]:
    values = deepcopy(VALUES)
    for key, value in changes.items():
        set_key(values, key.replace("__", "."), value, "here")
    return values


def test_a_trial_is_asked_for_each_key_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(VALUES, sort_keys=False))
    trial = Lowest()
    search = read_search(tmp_path / "search.yaml", ["tune.trials=7"])
    chosen = search.propose(trial)
    assert trial.asked == [
        ("train.learning_rate", 1e-4, 1e-1, True),
        ("model.backbone.dropout", 0.0, 0.5, False),
        ("model.backbone.layers", 1, 2),
        ("train.optimizer", ("adam", "adamw")),
    ]
    settings = search.settings(chosen | {"model.backbone.layers": 2})
    assert (settings.train.learning_rate, settings.train.optimizer) == (1e-4, "adam")
    assert (settings.model.backbone.layers, settings.model.backbone.dropout) == (2, 0.0)
    assert (settings.model.backbone.heads, settings.train.epochs) == (2, 3)  # as the file has them
    assert search.tune.trials == 7
    assert "learning_rate" not in search.base["train"]


FLOAT = {"kind": "uniform", "low": 0.1, "high": 0.2}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({key: value for key, value in VALUES.items() if key != "tune"}, "no section `tune`"),
        (change(tune__space={}), "tune.space"),
        (change(tune__trails=3), "unknown key tune.trails"),
        (
            change(tune__space={"train.epochs": {"kind": "int", "low": 1, "high": 9}}),
            "the same for every trial",
        ),
        (
            change(tune__space={"train.seed": {"kind": "int", "low": 1, "high": 9}}),
            "the same for every trial",
        ),
        (change(tune__space={"train.max_targets": FLOAT}), "the same for every trial"),
        (
            change(tune__space={"seen": {"kind": "choice", "values": ["remove", "keep"]}}),
            "the same for every trial",
        ),
        (change(tune__space={"train.learn": FLOAT}), "unknown key train.learn"),
        (change(tune__space={"model.width.x": FLOAT}), "tune.space.model.width.x: width is a value"),
        (change(tune__space={"model.backbone.dropout": {**FLOAT, "high": 1.5}}), "model.backbone.dropout: "),
        (change(tune__space={"train.batch_size": FLOAT}), "train.batch_size: "),
        (change(tune__space={"model.backbone.dropout": {**FLOAT, "low": 0.3}}), "is not below high"),
        (change(tune__space={"train.learning_rate": {**FLOAT, "kind": "log_uniform", "low": 0}}), "low"),
        (change(tune__space={"train.optimizer": {"kind": "choice", "values": ["adam"]}}), "values"),
        (change(tune__space={"train.optimizer": {"kind": "any"}}), "tune.space.train.optimizer"),
        (change(model__width="wide"), "model.width"),
    ],
)
def test_mistakes_are_told_in_one_line_before_anything_is_tried(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="search.yaml") as caught:
        Search.parse(values, "search.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
