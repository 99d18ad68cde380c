import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data.feature_table import Catalogue, FeatureTable, align
from prism_rec.errors import InputError

CATALOGUE = Catalogue(pl.Series(["a", "b", "c"]), pl.Series(["dropped"]))
MATRIX = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, -2.0]])


def align_rows(matrix: np.ndarray, *ids: str | None, allow_unknown: bool = False) -> FeatureTable:
    table, _ = align("image", matrix, pl.Series(ids, dtype=pl.String), CATALOGUE, allow_unknown)
    return table


@given(st.permutations(["a", "b", "c", "dropped"]))
@settings(max_examples=24)
def test_rows_are_matched_by_id_in_whatever_order(ids: list[str]) -> None:
    vectors = {"a": [3, 4], "b": [1, 0], "c": [0, -2], "dropped": [9, 9]}
    table = align_rows(np.array([vectors[item] for item in ids], np.float32), *ids)
    np.testing.assert_allclose(table.vectors, [[0, 0], [0.6, 0.8], [1, 0], [0, -1]], rtol=1e-6)
    assert table.present.tolist() == [False, True, True, True]


def test_an_item_without_vector_is_absent_and_zero() -> None:
    table = align_rows(MATRIX[:1], "b")
    assert table.present.tolist() == [False, False, True, False]
    assert not table.vectors[[0, 1, 3]].any()
    assert (table.width, table.coverage) == (2, pytest.approx(1 / 3))
    assert (table.vectors.dtype, table.present.dtype) == (np.float32, np.bool_)


def test_a_zero_vector_is_an_absent_one_and_counted() -> None:
    table, counts = align("image", np.array([[0.0, 0.0], [1.0, 1.0]]), pl.Series(["a", "b"]), CATALOGUE)
    assert table.present.tolist() == [False, False, True, False]
    assert counts == {"zero": 1, "unknown": 0}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_lengths_are_one_whatever_the_scale(dtype: type) -> None:
    scales = np.array([[np.finfo(dtype).max / 8], [np.finfo(dtype).tiny * 8], [1.0]], dtype)
    table = align_rows(np.asarray(MATRIX * scales, dtype), "a", "b", "c")
    np.testing.assert_allclose(np.linalg.norm(table.vectors[1:], axis=1), 1, rtol=1e-3)


def test_uint8_is_centred_over_the_catalogue_before_it_is_normalised() -> None:
    matrix = np.array([[10, 0], [20, 0], [30, 9], [255, 255]], np.uint8)
    table = align_rows(matrix, "a", "b", "c", "dropped")
    centred = np.array([[-10, -3], [0, -3], [10, 6]])
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(table.vectors[1:], expected, rtol=1e-6)


def test_the_given_matrix_is_left_as_it_is() -> None:
    for matrix in (MATRIX.copy(), MATRIX.astype(np.float32), np.abs(MATRIX).astype(np.uint8)):
        before = matrix.copy()
        align_rows(matrix, "a", "b", "c")
        np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named_by_row_and_id(bad: float) -> None:
    matrix = MATRIX.copy()
    matrix[1, 1] = bad
    with pytest.raises(InputError, match=r"feature 'image': row 2 \(item 'b'\) has NaN or infinity"):
        align_rows(matrix, "a", "b", "c")


@pytest.mark.parametrize(
    ("matrix", "ids", "message"),
    [
        (MATRIX, ["a", "b"], "has 3 rows and 2 ids"),
        (MATRIX[0], ["a", "b"], r"has the shape \(2,\); give a matrix"),
        (MATRIX[:, :0], ["a", "b", "c"], "give a matrix"),
        (MATRIX.astype(int), ["a", "b", "c"], "has int64 values; give float or uint8"),
        (MATRIX, ["a", "b", "a"], "row 3 repeats the id 'a'"),
        (MATRIX, ["a", None, "c"], "row 2 has no item id"),
        (MATRIX, ["a", "x", "y"], r"2 ids unknown to the data \('x', 'y'\); .*set `allow_unknown_features`"),
        (
            MATRIX,
            ["A", "B", "C"],
            r"none of its ids \('A', 'B', 'C'\) is an item of the data \('a', 'b', 'c'\)",
        ),
        (MATRIX[:1], ["dropped"], "none of its ids"),
        (MATRIX * 0, ["a", "b", "c"], "every vector is zero"),
    ],
)
def test_wrong_features_are_refused(matrix: np.ndarray, ids: list[str | None], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        align_rows(matrix, *ids)
    assert "feature 'image'" in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_ids_are_counted_where_they_are_allowed() -> None:
    ids = pl.Series(["a", "x", "dropped"])
    table, counts = align("image", MATRIX, ids, CATALOGUE, allow_unknown=True)
    assert table.present.tolist() == [False, True, False, False]
    assert counts == {"zero": 0, "unknown": 1}
    with pytest.raises(InputError, match="none of its ids"):
        align_rows(MATRIX[:1], "x", allow_unknown=True)
