import random
from decimal import Decimal

import polars as pl

from prism_rec.data.decimals import read_decimals, split_decimals


def test_a_comma_is_decimal_unless_it_may_be_between_thousands() -> None:
    texts = ["4,5", " -3,25 ", "0,125", "1600000000,125", "12,3456", "1.5", "7", "1e3"]
    assert read_decimals(pl.Series(texts)).to_list() == [
        4.5,
        -3.25,
        0.125,
        1600000000.125,
        12.3456,
        1.5,
        7,
        1000,
    ]
    others = ["1,600", "1.234,5", "1,600,000", "4,5,6", ",5", "nan", "", None]
    assert read_decimals(pl.Series(others)).to_list() == [None] * len(others)


def test_categories_and_numbers_without_a_value() -> None:
    assert read_decimals(pl.Series(["2", "x"], dtype=pl.Categorical)).to_list() == [2, None]
    assert read_decimals(pl.Series([float("nan"), 1.5])).to_list() == [None, 1.5]


def test_decimals_are_split_without_a_loss() -> None:
    draw = random.Random(0)
    numbers = [Decimal(draw.randrange(-(10**18), 10**18)).scaleb(-draw.randrange(10)) for _ in range(200)]
    for given in (pl.Series([f"{one:f}" for one in numbers]), pl.Series(numbers, dtype=pl.Decimal(38, 9))):
        whole, nanos = split_decimals(given)
        assert nanos.is_between(0, 10**9 - 1).all()
        found = [Decimal(a) + Decimal(b).scaleb(-9) for a, b in zip(whole, nanos, strict=True)]
        assert found == numbers
    assert split_decimals(pl.Series(["1e9", "x"]))[0].to_list() == [None, None]
