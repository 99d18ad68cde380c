import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import torch

from prism_rec.data.arrays import to_matrix
from prism_rec.data.feature_table import Catalogue
from prism_rec.data.vectors import RESERVED, table_from
from prism_rec.errors import InputError

ROWS = [[1.0, 0.0], [0.0, 2.0], [0.0, -2.0]]
TENSOR = torch.tensor(ROWS)
IDS = ["a", "b", "c"]
CATALOGUE = Catalogue(pl.Series(IDS), pl.Series([], dtype=pl.String))

SAME = {
    "lists": ROWS,
    "float64": np.array(ROWS),
    "float16": np.array(ROWS, np.float16),
    "list of arrays": [np.array(row) for row in ROWS],
    "list of tensors": list(TENSOR.requires_grad_()),
    "frame": pd.DataFrame(ROWS),
    "sparse": scipy.sparse.csr_matrix(ROWS),
    "gradient": TENSOR.clone().requires_grad_(),
    "parameter": torch.nn.Embedding.from_pretrained(TENSOR.detach()).weight,
    "half": TENSOR.half(),
    "bfloat16": TENSOR.bfloat16(),
    "float8": TENSOR.to(torch.float8_e4m3fn),
    "sparse tensor": TENSOR.to_sparse(),
    "turned": TENSOR.detach().T.contiguous().T,
}


@pytest.mark.parametrize("form", SAME)
def test_the_same_numbers_in_every_form(form: str) -> None:
    np.testing.assert_array_equal(to_matrix(SAME[form], "feature 'text'"), ROWS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1.0], [1.0, 2.0]], "row 2: 2 numbers, and the first vector has 1"),
        ([[1.0], None], "row 2: not a vector but None"),
        ([[1.0], []], "row 2: not a vector"),
        ([["a"]], "row 1: not a vector"),
        ([], r"shape \(0,\): not a matrix"),
        (np.empty((0, 4)), "no vectors"),
        (np.empty((4, 0)), "not a matrix"),
        (np.ones(3), "not a matrix"),
        (np.ones((1, 1, 1)), "not a matrix"),
        (np.float32(3), "not a matrix"),
        ("abc", "is str 'abc'; give a matrix"),
        (None, "is None; give a matrix"),
        ({1.0}, "is set; give a matrix"),
        (torch.empty(2, 2, device="meta"), "has no numbers to read"),
    ],
)
def test_what_is_no_matrix_is_refused_in_one_line(given: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        to_matrix(given, "feature 'text'")
    assert "\n" not in str(told.value)


def test_a_masked_number_is_not_taken_for_a_number() -> None:
    masked = np.ma.masked_array(ROWS, mask=[[0, 0], [0, 1], [0, 0]])
    with pytest.raises(InputError, match=r"row 2 \(item 'b'\) has NaN"):
        table_from("text", (masked, IDS), CATALOGUE)


def test_a_map_of_ids_to_rows_or_to_vectors_is_read_by_its_values() -> None:
    right = table_from("text", (ROWS, IDS), CATALOGUE)[0].vectors
    moved = [ROWS[2], ROWS[0], ROWS[1]]
    for given in [(moved, {"a": 1, "b": 2, "c": 0}), dict(zip(IDS, ROWS, strict=True))]:
        np.testing.assert_array_equal(table_from("text", given, CATALOGUE)[0].vectors, right)


@pytest.mark.parametrize(
    "ids",
    [set(IDS), "abc", {"a": 1, "b": 2, "c": 3}, {"a": 0.0, "b": 1, "c": 2}, None, 5, ["a", "b", 3]],
)
def test_ids_without_an_order_are_refused(ids: object) -> None:
    with pytest.raises(InputError, match="feature 'text'"):
        table_from("text", (ROWS, ids), CATALOGUE)


@pytest.mark.parametrize("name", [*RESERVED, 5, None])
def test_names_of_other_columns_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="feature name"):
        table_from(name, (ROWS, IDS), CATALOGUE)


@pytest.mark.parametrize(
    "vectors",
    [
        [["a"], ["b"], ["c"]],
        [{"a": 1.0}] * 3,
        [[[1.0]], [[1.0]], [[2.0]]],
        [[], [], []],
        [[1.0], [None], [2.0]],
        ["x", "y", "z"],
    ],
)
def test_odd_columns_of_vectors_are_refused(vectors: list[object]) -> None:
    with pytest.raises(InputError, match="feature 'text'") as told:
        table_from("text", pl.DataFrame({"item_id": IDS, "v": vectors}), CATALOGUE)
    assert "\n" not in str(told.value)
