import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.data.odd_ids import note_on_ids


def notes(*ids: str) -> tuple[str, ...]:
    events = pl.Series("user_id", ids)
    return note_on_ids(events, events.unique(maintain_order=True))


@pytest.mark.parametrize("missing", ["NULL", "\\N", "nan", "None", "<NA>", "#N/A"])
def test_an_id_that_means_none_is_named_with_its_events(missing: str) -> None:
    (note,) = notes("a", missing, "b", missing)
    assert note.startswith(f"user_id {missing!r}, of 2 interactions, is kept as an id;")


def test_numbers_that_a_spreadsheet_shortened_are_named() -> None:
    (note,) = notes("5.01E+12", "4,7E+11", "a", "5e3", "E+12")
    assert (
        "user_id: some ids (2) such as '5.01E+12' are long numbers that a spreadsheet has shortened" in note
    )


@pytest.mark.parametrize("ids", [("é", "e\u0301"), ("a", "a\u00a0"), (" a", "a")])
def test_ids_that_look_alike_are_named(ids: tuple[str, str]) -> None:
    (note,) = notes(*ids, "b", "ü", " c")
    assert f"user_id: some ids (1) have several forms, such as {ascii(ids[0])} and {ascii(ids[1])}" in note


def test_other_ids_get_no_note() -> None:
    assert notes("a", "A", "007", "7", "é", "e", "a b", " c", "nana", "nulls", "5E+", "名") == ()


def test_a_dataset_keeps_such_ids_and_says_so() -> None:
    rows = [(user, item, time) for user in ("NULL", "b") for time, item in enumerate(("x", "y", "nan"))]
    data = Dataset.from_frame(pl.DataFrame(rows, ["user_id", "item_id", "timestamp"], orient="row"))
    assert data.users["user_id"].to_list() == ["NULL", "b"]
    assert [note.partition(",")[0] for note in data.notes] == ["user_id 'NULL'", "item_id 'nan'"]
