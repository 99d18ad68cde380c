"""Conditions on columns of the catalogue."""

from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from prism_rec.errors import InputError
from prism_rec.recommend.filters import matching, read_conditions

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "category": ["Books", "Films", None, "Books"],
        "price": [5.0, None, 20.0, 30.0],
        "year": ["1999", "2001", "unknown", "2005"],
        "path": [["Home", "Books"], ["Films"], None, []],
    }
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abcd"),
        ({"category": "Books"}, "ad"),
        ({"category": ["Books", "Films"]}, "abd"),
        ({"category": {"contains": "boo"}}, "ad"),
        ({"price": {"max": 20}}, "ac"),
        ({"price": {"min": "5", "max": "20"}}, "ac"),
        ({"price": 30}, "d"),
        ({"price": "30"}, "d"),
        ({"year": {"min": 2000}}, "bd"),
        ({"year": 1999}, "a"),
        ({"path": "Books"}, "a"),
        ({"path": {"contains": "fil"}}, "b"),
        ({"category": "Books", "price": {"min": 6}}, "d"),
    ],
)
def test_items_that_meet_every_condition(where: dict, expected: str) -> None:
    assert "".join(ITEMS["item_id"].filter(matching(ITEMS, where))) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"colour": "red"}, "no column 'colour' \\(they have: item_id, category"),
        ({"price": {"below": 3}}, "use min, max, contains"),
        ({"price": {}}, "use min, max, contains"),
        ({"price": {"max": "cheap"}}, "'cheap', which is not a number"),
        ({"price": {"max": float("nan")}}, "not a number"),
        ({"price": "cheap"}, "'cheap', which is not a number"),
        ({"category": {"max": 3}}, "column category has no numbers"),
        ({"category": "Shoe"}, r"no item has category Shoe \(found: Books, Films; choose one of these\)"),
        ({"path": ["Shoe", "Hat"]}, r"no item has path Shoe, Hat \(found: Books, Films, Home; choose"),
        ({"price": 7}, r"no item has price 7 \(found: 5.0, 20.0, 30.0; choose"),
    ],
)
def test_a_condition_that_does_not_suit_is_refused(where: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        matching(ITEMS, where)
    assert "\n" not in str(caught.value)


def test_of_many_values_the_first_are_named() -> None:
    items = pl.DataFrame({"size": [f"{size:02}" for size in range(13)]})
    with pytest.raises(InputError, match=r"found: 00, .*, 09 and 3 more\)"):
        matching(items, {"size": "99"})


def test_a_value_with_a_comma_is_named_in_quotes_and_the_row_is_no_property() -> None:
    items = pl.DataFrame({"row": [1, 2], "category": ["Bags, large", "Hats"]})
    with pytest.raises(InputError, match=r"found: 'Bags, large', Hats; choose"):
        matching(items, {"category": "Shoes"})
    with pytest.raises(InputError, match=r"no column 'row' \(they have: category\)"):
        matching(items, {"row": 1})


def test_conditions_as_texts() -> None:
    found = read_conditions(["price<=20", "price >= 5", "category=Books", "category=Films", "title~a=b"])
    assert found == {
        "price": {"max": "20", "min": "5"},
        "category": ["Books", "Films"],
        "title": {"contains": "a=b"},
    }


@pytest.mark.parametrize("words", [["price"], ["=3"], ["price="], ["a=1", "a<=2"], ["a<=1", "a<=2"]])
def test_texts_that_are_not_conditions(words: list[str]) -> None:
    with pytest.raises(InputError, match=r"is not a condition|does not go with"):
        read_conditions(words)


def test_a_value_that_is_missing_meets_no_condition() -> None:
    items = pl.DataFrame({"price": [float("nan"), 1.0, None], "text": ["nan", "12,50", "8"]})
    assert matching(items, {"price": {"min": 0}}).to_list() == [False, True, False]
    assert matching(items, {"price": {"max": 5}}).to_list() == [False, True, False]
    assert matching(items, {"text": {"min": 10}}).to_list() == [False, True, False]


@pytest.mark.parametrize(
    "values",
    [pl.Series(["1"]), np.array([1, 2]), range(2), pd.Series([1.0]), {1}, np.int64(1)],
    ids=["polars", "numpy", "range", "pandas", "set", "number"],
)
def test_values_come_in_any_container(values: Any) -> None:
    items = pl.DataFrame({"price": [1.0, 5.0]})
    assert matching(items, {"price": values}).to_list() == [True, False]


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ms", "UTC"), pl.String], ids=str)
def test_dates_are_compared_with_dates(kind: Any) -> None:
    items = pl.DataFrame({"out": pl.Series([date(2018, 9, 24), None, date(2020, 1, 1)]).cast(kind)})
    assert matching(items, {"out": {"min": "2019-01-01"}}).to_list() == [False, False, True]
    assert matching(items, {"out": {"max": date(2018, 9, 24)}}).to_list() == [True, False, False]
    with pytest.raises(InputError, match="where: out is compared with '2019', which is not a date such as"):
        matching(items, {"out": {"min": 2019}})


@pytest.mark.parametrize(
    "values",
    [[timedelta(1)], [time(1)], [[[1]]], [{"a": 1}], [b"x"]],
    ids=["duration", "time", "lists", "struct", "bytes"],
)
def test_columns_of_odd_types_end_with_one_line(values: list[Any]) -> None:
    items = pl.DataFrame({"odd": values})
    with pytest.raises(InputError, match="where: no item has odd nothing"):
        matching(items, {"odd": "nothing"})
    with pytest.raises(InputError, match="where: column odd has no numbers and no dates"):
        matching(items, {"odd": {"min": 0}})
    assert matching(items, {"odd": {"contains": "1"}}).to_list() == ["1" in str(values[0])]
