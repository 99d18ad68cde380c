from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from prism_rec.errors import DataError, InputError
from prism_rec.inputs import checked, id_from, ids_from, split_ids


@pytest.mark.parametrize(
    "given",
    [
        ["15", "2"],
        ("15", "2"),
        [15, 2],
        iter(["15", "2"]),
        {"15": 0, "2": 0}.keys(),
        np.array([15, 2]),
        np.array(["15", "2"]),
        torch.tensor([15, 2]),
        pl.Series([15, 2]),
        pl.Series(["15", "2"], dtype=pl.Categorical),
        pd.Series([15, 2]),
        pd.Index(["15", "2"]),
        pa.chunked_array([["15"], ["2"]]),
        pl.DataFrame({"user_id": [15, 2], "x": 0}),
        pl.LazyFrame({"user_id": [15, 2]}),
        pd.DataFrame({"user_id": ["15", "2"]}),
        pa.table({"user_id": [15, 2]}),
    ],
    ids=lambda given: f"{type(given).__module__.split('.')[0]} {type(given).__name__}",
)
def test_ids_are_read_from_every_container_with_an_order(given: Any) -> None:
    assert ids_from(given, "users", "user_id") == ["15", "2"]


@pytest.mark.parametrize(
    "given",
    [
        "15",
        b"15",
        15,
        1.5,
        None,
        {"15"},
        {"15": 0},
        ["15", 2],
        [1.0],
        [None],
        [True],
        [float("nan")],
        [["15"]],
        np.array(15),
        np.eye(2, dtype=int),
        pd.Series([1.0, 2.0]),
        pd.Series(["1", None]),
        pl.DataFrame({"user": ["15"]}),
    ],
)
def test_everything_else_is_refused_in_one_line(given: Any) -> None:
    with pytest.raises(InputError, match="^users") as told:
        ids_from(given, "users", "user_id")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        (" 1, 34 ,007", ["1", "34", "007"]),
        ('"a,b",c', ["a,b", "c"]),
        ('c , " lead" ', ["c", " lead"]),
        ('"say ""hi"", you"', ['say "hi", you']),
        ("5\" disc,it's", ['5" disc', "it's"]),
        ('"open,b', ['"open', "b"]),
    ],
    ids=["nothing", "plain", "comma", "space", "quotes", "inches", "open"],
)
def test_ids_of_one_text(text: str, ids: list[str]) -> None:
    assert split_ids(text) == ids


@pytest.mark.parametrize("text", [",", "a,,b", "a,", ' ,""'])
def test_an_empty_id_in_a_text_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="an id of the history is empty; remove it"):
        split_ids(text)


def test_one_id_is_a_text_or_a_whole_number() -> None:
    assert [id_from(one, "item") for one in ("a", 7, np.int64(7))] == ["a", "7", "7"]
    for wrong in (None, 7.0, ["a"], True):
        with pytest.raises(InputError, match="item is .*; give one id"):
            id_from(wrong, "item")


@checked
def call(
    path: Path,
    both: Path | str | None = None,
    k: int = 1,
    share: float = 0.5,
    part: Literal["test", "validation"] = "test",
    names: Mapping[str, int] | None = None,
    flag: bool = False,
    hook: Callable[[], None] | None = None,
    anything: Any = None,
) -> Path:
    return path


def test_arguments_of_the_right_type_pass_and_a_text_is_taken_as_a_path() -> None:
    assert call("x", "y", np.int64(3), 2, "validation", {"a": 1}, True, print, object()) == Path("x")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"path": 5}, "path is int 5; give a path"),
        ({"path": ""}, "path is None; give a path"),
        ({"path": "a\0b"}, "path is .*, which no file can be called; give a path"),
        ({"both": "a" * 300}, "both is 'aaa.*aaa', which no file can be called; give a path"),
        ({"path": "\ud800"}, "path is .*; give a path"),
        ({"both": 5}, "both is int 5; give a path or a text"),
        ({"k": 1.5}, "k is float 1.5; give a whole number"),
        ({"k": True}, "k is bool True; give a whole number"),
        ({"share": "0.5"}, "share is str '0.5'; give a number"),
        ({"part": "train"}, "part is str 'train'; give one of test, validation"),
        ({"part": ["test"]}, "part is list; give one of"),
        ({"names": [1]}, "names is list; give a map"),
        ({"flag": 1}, "flag is int 1; give True or False"),
        ({"hook": 1}, "hook is int 1; give Callable"),
    ],
)
def test_an_argument_of_another_type_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        call(**{"path": "x", **wrong})
    assert "\n" not in str(told.value)
