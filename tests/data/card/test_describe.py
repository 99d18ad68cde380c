import json

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.data.card.describe import describe, in_words


def make(start: int = 0, **options: object) -> Dataset:
    users, items = ["a"] * 4 + ["b"] * 3 + ["c"], ["1", "2", "3", "4", "1", "2", "3", "1"]
    log = pl.DataFrame(
        {"user_id": users, "item_id": items, "timestamp": [start + 86400 * n for n in range(8)]}
    )
    features = {"text": (np.eye(2), ["1", "3"])}
    return Dataset.from_frame(log, features=features, **options)  # type: ignore[arg-type]


def test_tells_what_there_is() -> None:
    facts = describe(make(1537790400))
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["users"], facts["items"], facts["interactions"]) == (2, 4, 7)
    assert facts["density"] == pytest.approx(7 / 8)
    assert facts["history_length"] == {
        "mean": 3.5,
        "shortest": 3.0,
        "quarter": 3.25,
        "median": 3.5,
        "three quarters": 3.75,
        "nine tenths": 3.9,
        "longest": 4.0,
    }
    assert facts["time"] == {
        "kind": "absolute",
        "unit": "s",
        "ties": "file",
        "first": "2018-09-24",
        "last": "2018-09-30",
    }
    assert facts["split"] == {
        "kind": "leave-one-out",
        "training_interactions": 3,
        "users_without_training": 0,
        "validation_queries": 2,
        "test_queries": 2,
        "cold_items": 2,
    }
    assert facts["features"] == {"text": {"width": 2, "items": 2, "coverage": 0.5, "next_item": None}}
    assert facts["dropped"]["interactions_in_short_histories"] == 1
    assert facts["balance"] == {
        "interactions": {"read": 8, "kept": 7, "dropped": {"in_short_histories": 1}},
        "users": {"read": 3, "kept": 2, "dropped": {"in_short_histories": 1}},
        "items": {"read": 4, "kept": 4, "dropped": {}},
    }
    assert ("interactions read", "8 = 7 kept + 1 in short histories") in in_words(facts)


def test_tells_that_few_questions_decide_nothing() -> None:
    facts = describe(make())
    told = [text for label, text in in_words(facts) if label == "note" and "questions" in text]
    assert [line.partition(" ")[0] for line in told] == ["validation", "test"]
    assert "one user moves recall by 0.500" in told[0]
    facts["split"] |= {"validation_queries": 100, "test_queries": 0}
    assert not [text for label, text in in_words(facts) if label == "note" and "questions" in text]


def test_tells_in_words_which_vectors_are_none() -> None:
    facts = describe(make()) | {
        "dropped": {"word_bags_vectors_zero": 3, "users_vectors_unknown": 1, "odd": 2}
    }
    words = in_words(facts)
    assert ("dropped vectors of word_bags", "3 have only zeros, which counts as no vector") in words
    assert ("dropped vectors of users", "1 have an id that neither log nor items have") in words
    assert ("dropped odd", "2") in words


def test_tells_how_many_items_each_column_describes() -> None:
    log = pl.DataFrame({"user_id": ["a"] * 4, "item_id": ["1", "2", "3", "4"], "timestamp": range(4)})
    items = pl.DataFrame(
        {
            "item_id": ["1", "2", "3"],
            "title": ["Lamp", "", None],
            "images": [["x.jpg"], [], None],
            "price": [0.0, 1.0, None],
        }
    )
    facts = describe(Dataset.from_frame(log, items))
    assert facts["described"] == {"title": 0.25, "images": 0.25, "price": 0.5}
    assert ("items described", "title 25.0%, images 25.0%, price 50.0%") in in_words(facts)
    assert describe(make())["described"] == {}


def test_tells_how_many_targets_their_users_had_before() -> None:
    users, items = ["a"] * 4 + ["b"] * 3, ["1", "2", "1", "1", "1", "2", "3"]
    log = pl.DataFrame({"user_id": users, "item_id": items, "timestamp": range(7)})
    facts = describe(Dataset.from_frame(log, duplicates="all"))
    assert facts["repeated_targets"] == {"validation": 0.5, "test": 0.5}
    words = "50.00% of validation targets, 50.00% of test targets are in the user's history"
    assert ("repeated targets", words) in in_words(facts)
    assert describe(make())["repeated_targets"] == {"validation": 0, "test": 0}


def test_dates_exist_only_where_times_are_absolute() -> None:
    assert describe(make(time="order"))["time"] == {"kind": "order", "unit": "s", "ties": "file"}
    assert describe(make(1537790400 * 10**6))["time"]["first"] == "2018-09-24"
    assert describe(make(1537790400 * 10**6))["time"]["unit"] == "us"
    assert describe(make(10**10 * 10**6, time_unit="s"))["time"]["first"] == str(10**16)
