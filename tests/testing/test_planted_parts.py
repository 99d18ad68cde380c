"""The planted parts are where they are said to be, and PRISM's experts find their own."""

import numpy as np
import pytest

from prism_rec.testing.planted_parts import PlantedParts, plant_parts
from prism_rec.testing.probing import probe

ALL = ("unique:image", "unique:text", "redundancy", "synergy")
MANY = 300


@pytest.fixture(scope="module")
def planted() -> PlantedParts:
    return plant_parts(users=50)


def told(planted: PlantedParts, vectors: np.ndarray) -> list[bool]:
    """Return which of the four bits a probe tells from vectors, and which are chance to it."""
    accuracies = [probe(vectors[1:], planted.bits[name][1:], MANY) for name in ALL]
    assert all(accuracy > 0.9 or abs(accuracy - 0.5) < 0.1 for accuracy in accuracies)
    return [accuracy > 0.9 for accuracy in accuracies]


def test_each_bit_shows_where_it_should(planted: PlantedParts) -> None:
    image, text = (planted.features[name].vectors for name in ("image", "text"))
    assert told(planted, image) == [True, False, True, False]
    assert told(planted, text) == [False, True, True, False]
    assert told(planted, np.hstack([image, text])) == [True, True, True, False]


def test_the_joint_bit_is_there_for_who_looks_at_both_together(planted: PlantedParts) -> None:
    image, text = (planted.features[name].vectors for name in ("image", "text"))
    products = (image[:, :, None] * text[:, None]).reshape(len(image), -1)
    assert probe(products[1:], planted.bits["synergy"][1:], MANY) > 0.9


def test_each_user_goes_by_one_bit(planted: PlantedParts) -> None:
    for user in range(len(planted.histories)):
        items = planted.histories[user]
        assert len(set(items.tolist())) == len(items) == 8
        assert any(len(np.unique(values[items])) == 1 for values in planted.bits.values())


def test_equal_seeds_give_equal_data() -> None:
    one, same, other = (plant_parts(30, 5, 3, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.histories.items, same.histories.items)
    assert np.array_equal(one.features["text"].vectors, same.features["text"].vectors)
    assert not np.array_equal(one.features["text"].vectors, other.features["text"].vectors)
