import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data.controls import control_features
from prism_rec.data.feature_table import FeatureTable
from prism_rec.testing import plant_features

ITEMS = 40
"""Ten of each pattern of presence."""


def test_given_features_are_the_items_own() -> None:
    features = plant_features(ITEMS)
    assert all(control_features(features, "given", 0)[name] is table for name, table in features.items())
    assert control_features({}, "shuffled", 0) == {}


@pytest.mark.parametrize("control", ["shuffled", "random"])
def test_a_control_has_the_shape_presence_and_lengths_of_the_features(control: str) -> None:
    features = plant_features(ITEMS)
    features["image"].vectors[1] *= 3  # the one of another length
    made = control_features(features, control, 0)
    assert list(made) == list(features)
    for name, table in features.items():
        assert made[name].vectors.shape == table.vectors.shape
        assert made[name].vectors.dtype == np.float32
        assert np.array_equal(made[name].present, table.present)
        assert not made[name].vectors[~table.present].any()
        lengths = [np.linalg.norm(each.vectors, axis=1) for each in (made[name], table)]
        if control == "shuffled":
            lengths = [np.sort(each) for each in lengths]
        np.testing.assert_allclose(*lengths, rtol=1e-5)


def test_shuffled_is_the_right_vectors_on_the_wrong_items() -> None:
    features = plant_features(ITEMS)
    made = control_features(features, "shuffled", 0)
    sources = {}
    for name, table in features.items():
        given_rows, made_rows = table.vectors[table.present], made[name].vectors[table.present]
        same = (made_rows[:, None] == given_rows).all(2)
        assert (same.sum(0) == 1).all()  # each is given away once
        assert (same.sum(1) == 1).all()
        assert not same.diagonal().any()  # to another
        items = np.flatnonzero(table.present)
        sources[name] = dict(zip(items.tolist(), items[same.argmax(1)].tolist(), strict=True))
    both = sources["image"].keys() & sources["text"].keys()
    assert len(both) == ITEMS // 4
    assert all(
        sources["image"][item] == sources["text"][item] for item in both
    )  # pictures go with their texts


def test_noise_tells_nothing_of_the_vectors_that_it_replaces() -> None:
    table = FeatureTable(np.ones((2001, 50), np.float32), np.ones(2001, bool))
    made = control_features({"image": table}, "random", 0)["image"].vectors
    assert np.abs(made.mean(0)).max() < 0.1  # five standard errors
    assert np.abs(np.corrcoef(made.T) - np.eye(50)).max() < 0.12


@given(seed=st.integers(0, 2**32), control=st.sampled_from(["shuffled", "random"]))
@settings(max_examples=20)
def test_the_seed_decides_everything(seed: int, control: str) -> None:
    features = plant_features(ITEMS)
    one, again, other = (
        control_features(features, control, each)["image"] for each in (seed, seed, seed + 1)
    )
    assert np.array_equal(one.vectors, again.vectors)
    assert not np.array_equal(one.vectors, other.vectors)


def test_an_item_alone_with_its_modalities_keeps_its_own() -> None:
    features = plant_features(3)  # nothing, an image, a text, both: each once
    for name, table in control_features(features, "shuffled", 0).items():
        assert np.array_equal(table.vectors, features[name].vectors)
