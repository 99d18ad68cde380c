from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from prism_rec.data.as_texts import as_texts


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["a", None], ["a", None]),
        ([7, None], ["7", None]),
        ([1.5, float("nan")], ["1.5", None]),
        ([["a", None, "b"], [], None], ["a, b", None, None]),
        ([[[1, 2], [3]]], ["1, 2, 3"]),
        ([b"\xc3\xbc", b"\xff"], ["ü", "\ufffd"]),
        ([timedelta(hours=1)], ["1:00:00"]),
        ([{"a": 1}], ["{'a': 1}"]),
        ([date(2018, 9, 24)], ["2018-09-24"]),
        ([Decimal("1.50")], ["1.50"]),
        ([None], [None]),
    ],
    ids=["text", "whole", "nan", "list", "lists", "bytes", "duration", "struct", "date", "decimal", "null"],
)
def test_every_type_has_texts(values: list[Any], texts: list[str | None]) -> None:
    assert as_texts(pl.Series("x", values)).to_list() == texts


def test_categories_and_arrays_are_texts() -> None:
    assert as_texts(pl.Series(["a"], dtype=pl.Categorical)).to_list() == ["a"]
    assert as_texts(pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2))).to_list() == ["1, 2"]
