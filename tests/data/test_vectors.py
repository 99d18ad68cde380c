import numpy as np
import polars as pl
import pytest

from prism_rec.data import FeatureTable
from prism_rec.data.feature_table import Catalogue
from prism_rec.data.vectors import check_modality_name, table_from, vectors_from
from prism_rec.errors import InputError

CATALOGUE = Catalogue(pl.Series(["1", "2"]), pl.Series([], dtype=pl.String))
LISTS = pl.DataFrame({"item_id": ["2", "1"], "vector": [[0.0, 1.0], [1.0, 0.0]]})
ARRAYS = LISTS.with_columns(pl.col("vector").cast(pl.Array(pl.Float32, 2)))
COLUMNS = pl.DataFrame({"item_id": ["2", "1"], "x": [0.0, 1.0], "y": [1.0, 0.0]})


@pytest.mark.parametrize(
    "given",
    [LISTS, ARRAYS, COLUMNS, COLUMNS.to_pandas(), (np.eye(2), ["1", "2"]), (np.eye(2).tolist(), [1, 2])],
    ids=["lists", "arrays", "columns", "pandas", "pair", "numbers as ids"],
)
def test_every_form_gives_the_same_table(given: object) -> None:
    table, _ = table_from("text", given, CATALOGUE)
    np.testing.assert_array_equal(table.vectors, [[0, 0], [1, 0], [0, 1]])


def test_a_ready_table_is_taken_as_it_is_if_it_fits() -> None:
    table = FeatureTable(np.zeros((3, 2), np.float32), np.zeros(3, np.bool_))
    assert table_from("text", table, CATALOGUE)[0] is table
    doubles = FeatureTable(np.ones((3, 2)), np.array([False, True, False]))
    made = table_from("text", doubles, CATALOGUE)[0].vectors
    assert made.dtype == np.float32
    assert made.tolist() == [[0, 0], [1, 1], [0, 0]]
    with pytest.raises(InputError, match="has 4 rows for 2 items"):
        table_from("text", FeatureTable(np.zeros((4, 2), np.float32), np.zeros(4, np.bool_)), CATALOGUE)
    with pytest.raises(InputError, match="NaN"):
        table_from("text", FeatureTable(np.full((3, 2), np.nan, np.float32), table.present), CATALOGUE)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (LISTS.rename({"item_id": "id"}), r"no column 'item_id' \(found: id, vector\)"),
        (
            LISTS.with_columns(vector=pl.Series([[0.0], [1.0, 2.0]])),
            r"row 2 \(item '1'\): 2 numbers, and row 1 has 1",
        ),
        (LISTS.with_columns(vector=pl.Series([[0.0], None])), r"row 2 \(item '1'\): 0 numbers"),
        (COLUMNS.with_columns(y=pl.lit("b")), r"numeric columns only \(found: y\)"),
        (COLUMNS.select("item_id"), r"numeric columns only \(found: nothing\)"),
    ],
)
def test_wrong_frames_are_refused(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        vectors_from(frame, "text.parquet")


@pytest.mark.parametrize("name", ["id", "similar", "title", "score"])
def test_a_name_of_another_column_of_recommendations_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a column of recommendations"):
        check_modality_name(name)


@pytest.mark.parametrize("name", ["", "Text", "a/b", "../x", "text image", "1st", "a.b", "é", "a\n"])
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="lower-case"):
        table_from(name, LISTS, CATALOGUE)


def test_ids_of_several_types_are_refused() -> None:
    with pytest.raises(InputError, match="feature 'text'"):
        table_from("text", (np.eye(2), ["1", 2]), CATALOGUE)
