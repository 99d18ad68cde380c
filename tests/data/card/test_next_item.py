"""Whether a modality says which item comes next, against chance and popularity."""

import numpy as np
import polars as pl
import pytest

from prism_rec import Dataset
from prism_rec.data.bag import Bag
from prism_rec.data.card import next_item
from prism_rec.data.card.describe import describe, in_words
from prism_rec.data.card.next_item import measure_next_items, measure_rules, say_next_item, say_rules

ITEMS = [f"i{number:02}" for number in range(40)]


def make(split: str = "leave-one-out", lacking: int = 0) -> Dataset:
    """Users walk along a circle of items; `place` has the circle, `words` a part of it, `noise` nothing."""
    random, rows = np.random.default_rng(0), []
    for user in range(120):
        at = int(random.integers(40))
        for time in range(5):
            at = (at + int(random.integers(1, 3))) % 40
            rows.append({"user_id": f"u{user}", "item_id": ITEMS[at], "timestamp": time})
    angles = 2 * np.pi * np.arange(40) / 40
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    items = pl.DataFrame({"item_id": ITEMS, "title": [f"word{number // 4} all" for number in range(40)]})
    features = {
        "words": (Bag.of(items, ["title"]), ITEMS),
        "place": (circle[lacking:], ITEMS[lacking:]),
        "noise": (random.normal(size=(40, 8)), ITEMS),
    }
    return Dataset.from_frame(pl.DataFrame(rows), items, features, split={"kind": split})


def expect(dataset: Dataset, name: str) -> list[float]:
    """Return the figures, question by question and item by item."""
    table, questions = dataset.features[name], dataset.queries("validation")
    events, found = dataset.training().counts(dataset.number_of_items), []
    order = sorted(range(1, 41), key=lambda row: -events[row])
    for place, target in enumerate(questions.targets):
        history = questions.histories[place].tolist()
        before = history[-1]
        if before == target or not (table.present[before] and table.present[target]):
            continue
        cosine = table.vectors @ table.vectors[before]
        others = [row for row in range(1, 41) if table.present[row] and row not in (before, target)]
        less = {row: float(np.sign(round(float(cosine[target] - cosine[row]), 5)) + 1) / 2 for row in others}
        popular = sum(less[row] * events[row] for row in others) / sum(events[row] for row in others)
        nearest = [
            row
            for row in sorted([int(target), *others], key=lambda row: -round(float(cosine[row]), 5))
            if row not in history
        ]
        best = [row for row in order if row not in history][:20]
        found.append([np.mean(list(less.values())), popular, target in nearest[:20], target in best])
    return np.mean(found, 0).tolist()


@pytest.mark.parametrize("name", ["place", "noise"])
@pytest.mark.parametrize("lacking", [0, 7])
def test_the_figures_are_those_of_a_plain_count(name: str, lacking: int) -> None:
    dataset = make(lacking=lacking)
    found = measure_next_items(dataset)[name]
    assert found is not None
    keys = ("nearer_than_random", "nearer_than_popular", "nearest@20", "popular@20")
    assert [found[key] for key in keys] == pytest.approx(expect(dataset, name), abs=1e-6)
    assert found["low"] < found["nearer_than_popular"] < found["high"]


def test_a_modality_with_the_next_item_in_it_is_told_from_one_without() -> None:
    found = measure_next_items(make())
    assert found["place"] is not None
    assert found["noise"] is not None
    assert found["place"]["nearer_than_random"] > 0.9
    assert 0.4 < found["noise"]["nearer_than_random"] < 0.6
    assert say_next_item(found["place"]).startswith(
        "it says something about the next item: the next item is nearer"
    )
    assert say_next_item(found["noise"]).startswith("no relation to the next item can be seen")
    opposite = found["noise"] | {"low": 0.1, "high": 0.2}
    assert say_next_item(opposite).startswith("next items are rather unlike")


def test_words_are_measured_too() -> None:
    found = measure_next_items(make())["words"]
    assert found is not None
    assert found["nearer_than_random"] > 0.6


def test_a_sample_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_item, "MOST_QUESTIONS", 50)
    first, again = measure_next_items(make()), measure_next_items(make())
    assert first == again
    assert first["place"] is not None
    assert first["place"]["questions"] == 50
    monkeypatch.setattr(next_item, "_HELD", 1)  # one question at a time
    assert measure_next_items(make()) == first


def test_data_without_validation_targets_says_so() -> None:
    facts = describe(make("none"))
    assert facts["features"]["place"]["next_item"] is None
    assert not [name for name, _ in in_words(facts) if name in ("next items by place", "repeated targets")]
    assert describe(make())["features"]["place"]["next_item"]["questions"] > 50


def test_rules_find_the_next_items_that_others_took_after_the_latest_one() -> None:
    """On the circle, the next item is one or two steps further; rules also know up to five steps of two."""
    dataset = make()
    found = measure_rules(dataset)
    questions, training = dataset.queries("validation"), dataset.training()
    hits = 0
    for place, target in enumerate(questions.targets):
        history = questions.histories[place].tolist()
        value = dict.fromkeys(range(1, 41), 0.0)
        for user in range(120):
            items = training[user].tolist()
            for i, item in enumerate(items):
                for d, after in enumerate(items[i + 1 : i + 6], 1):
                    if item == history[-1] and after != item:
                        value[after] += 1 / d / np.sqrt((training.items == after).sum())
        order = sorted(
            (row for row in value if value[row] and row not in history), key=lambda row: -value[row]
        )
        hits += target in order[:20]
    assert found is not None
    assert found["rules@20"] == pytest.approx(hits / 120)
    assert found["rules@20"] > 0.85 > found["popular@20"] > 0.3
    assert say_rules(found).startswith("the 20 items that others took most after the latest one have 89.2%")


def test_without_validation_targets_rules_are_not_measured() -> None:
    facts = describe(make("none"))
    assert facts["rules"] is None
    assert all(label != "next items by rules" for label, _ in in_words(facts))
