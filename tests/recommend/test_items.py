from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from prism_rec.recommend.items import Items


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (["A", "B"], "A, B"),
        (timedelta(1), "1 day, 0:00:00"),
        (b"\xc3\xbc", "ü"),
        (float("nan"), None),
        (7, "7"),
    ],
    ids=["list", "duration", "bytes", "nan", "number"],
)
def test_a_title_of_any_type_is_shown(title: Any, shown: str | None) -> None:
    items = Items(pl.DataFrame({"item_id": ["a"], "title": [title]}), lambda _: None)
    assert items.name(1) == ("a", shown)
