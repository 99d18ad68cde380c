import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.data.bag import Bag
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.new_items import add_items
from prism_rec.data.principal_axes import FeatureMap, PrincipalAxes
from prism_rec.errors import DataError, InputError

VARIANCES = np.array([9.0, 4.0, 0.25, 0.0])
MEAN = np.array([1.0, -2.0, 0.5, 3.0])


def known() -> tuple[FeatureTable, np.ndarray]:
    """Return 200 vectors of a known covariance, turned by a known rotation. Item 7 has none."""
    random = np.random.default_rng(0)
    drawn = random.standard_normal((200, 4))
    drawn -= drawn.mean(0)
    drawn = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / 200)).T  # the covariance is exactly 1
    rotation = np.linalg.qr(random.standard_normal((4, 4)))[0]
    vectors = np.zeros((202, 4), np.float32)
    rows = np.delete(np.arange(1, 202), 6)
    vectors[rows] = (drawn * np.sqrt(VARIANCES)) @ rotation.T + MEAN
    present = np.zeros(202, bool)
    present[rows] = True
    return FeatureTable(vectors, present), rotation


def centred(table: FeatureTable, fitted: FeatureMap) -> np.ndarray:
    return (table.vectors[table.present].astype(float) - fitted.mean) @ fitted.axes


def test_axes_are_those_of_the_known_covariance_in_order_and_the_constant_one_is_left_out() -> None:
    table, rotation = known()
    fitted = FeatureMap.fit("image", table, PrincipalAxes(axes=4))
    np.testing.assert_allclose(fitted.mean, MEAN, atol=1e-5)
    assert fitted.axes.shape == (4, 3)
    np.testing.assert_allclose(np.abs(np.sum(fitted.axes * rotation[:, :3], 0)), 1, atol=1e-5)
    assert (fitted.axes[np.abs(fitted.axes).argmax(0), range(3)] > 0).all()
    np.testing.assert_allclose(np.cov(centred(table, fitted).T, bias=True), np.diag(VARIANCES[:3]), atol=1e-4)


@pytest.mark.parametrize("axes", [None, 2])
def test_a_whitened_covariance_is_the_identity(axes: int | None) -> None:
    table, _ = known()
    fitted = FeatureMap.fit("image", table, PrincipalAxes(axes=axes, whiten=True))
    np.testing.assert_allclose(np.cov(centred(table, fitted).T, bias=True), np.eye(axes or 3), atol=1e-4)


def test_mapped_vectors_have_length_1_and_a_missing_one_stays_missing() -> None:
    table, _ = known()
    fitted = FeatureMap.fit("image", table, PrincipalAxes(whiten=True))
    mapped = fitted.apply(table)
    np.testing.assert_array_equal(mapped.present, table.present)
    assert not mapped.vectors[[0, 7]].any()
    np.testing.assert_allclose(np.linalg.norm(mapped.vectors[mapped.present], axis=1), 1, atol=1e-5)
    expected = centred(table, fitted)[0]
    np.testing.assert_allclose(mapped.vectors[1], expected / np.linalg.norm(expected), atol=1e-5)


def test_a_vector_at_the_mean_becomes_absent() -> None:
    table = FeatureTable(
        np.array([[0, 0], [1, 0], [-1, 0], [1e-6, 0]], np.float32), np.array([False, True, True, True])
    )
    mapped = FeatureMap.fit("image", table, PrincipalAxes(axes=1)).apply(table)
    assert mapped.present.tolist() == [False, True, True, False]
    np.testing.assert_allclose(mapped.vectors[:, 0], [0, 1, -1, 0])


def test_equal_vectors_have_no_axes() -> None:
    table = FeatureTable(np.ones((4, 2), np.float32), np.array([False, True, True, True]))
    with pytest.raises(DataError, match="'image': all vectors are equal; leave the feature out"):
        FeatureMap.fit("image", table, PrincipalAxes(whiten=True))


ITEMS = list("abcdef")
LOG = pl.DataFrame({"user_id": ["u"] * 6 + ["v"] * 6, "item_id": ITEMS + ITEMS[::-1]})


def dataset() -> Dataset:
    vectors = np.random.default_rng(1).normal(1, 1, (5, 4))
    titles = pl.DataFrame({"item_id": ITEMS, "title": ["red", "blue", "red", "blue", "red", "blue"]})
    bag = Bag.of(titles, ("title",), 1)
    features = {"image": (vectors, ITEMS[:5]), "words": (bag, titles["item_id"])}
    return Dataset.from_frame(LOG, titles, features, time="order")


def test_a_new_item_gets_the_map_of_the_dataset_after_saving_too(tmp_path) -> None:
    before = dataset()
    made = before.with_axes(PrincipalAxes(axes=2, whiten=True))
    made.save(tmp_path / "data")
    loaded = Dataset.load(tmp_path / "data")
    assert loaded.notes[-1] == "feature image: 2 principal axes of 4, whitened"
    assert loaded.features["words"].equals(before.features["words"])
    twin = before.features["image"].vectors[[2]]
    new = pl.DataFrame({"item_id": ["n", "o"], "title": ["red", "red"]})
    for data in (made, loaded):
        table = add_items(data, new, {"image": (twin, ["n"])}).features["image"]
        assert table.present.tolist() == [False, True, True, True, True, True, False, True, False]
        np.testing.assert_allclose(table.vectors[7], table.vectors[2], atol=1e-6)
    with pytest.raises(InputError, match="'image' has the width 2, and the model was trained with 4"):
        add_items(loaded, new, {"image": (twin[:, :2], ["n"])})


def test_a_modality_is_mapped_once_and_given_anew_has_no_map() -> None:
    made = dataset().with_axes(PrincipalAxes(axes=2))
    again = made.with_axes(PrincipalAxes(axes=1))
    assert again.features["image"].equals(made.features["image"])
    assert not made.with_features({"image": (np.eye(5, 4), ITEMS[:5])}).maps
    assert dataset().with_axes(PrincipalAxes()).notes == dataset().notes
