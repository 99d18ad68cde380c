"""Users and items that a dataset does not have: who, and why."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from prism_rec.data import Dataset, left_out
from prism_rec.data.card.describe import describe, in_words

LOG = pl.DataFrame(
    [(f"u{user}", f"i{item}", item, 5) for user in range(4) for item in range(4)]
    + [("few", "i0", 1, 5), ("few", "rare", 2, 5), ("strict", "i0", 1, 1), ("strict", "i1", 2, 1)]
    + [("strict", f"i{item}", item, 1) for item in (2, 3)],
    schema=["user_id", "item_id", "timestamp", "rating"],
    orient="row",
)
ITEMS = pl.DataFrame({"item_id": ["i0", "silent"]})
WHY = {
    ("user", "few"): "had 2 events, fewer than the minimum 3",
    ("user", "strict"): "had 4 events, too few of which were left after cleaning",
    ("item", "rare"): "had 1 event, fewer than the minimum 2",
    ("item", "silent"): "had no event, fewer than the minimum 2",
    ("user", "u0"): None,
    ("user", "stranger"): None,
    ("item", "few"): None,
}


@pytest.fixture
def dataset() -> Dataset:
    return Dataset.from_frame(LOG, ITEMS, min_rating=2, core=2)


@pytest.mark.parametrize(("role", "wanted"), list(WHY), ids=[" ".join(key) for key in WHY])
@pytest.mark.slow
def test_the_reason_survives_saving(dataset: Dataset, tmp_path: Path, role: str, wanted: str) -> None:
    dataset.save(tmp_path / "data")
    for one in (dataset, Dataset.load(tmp_path / "data")):
        assert one.why_absent(role, wanted) == WHY[role, wanted]  # type: ignore[arg-type]


def test_they_are_counted(dataset: Dataset) -> None:
    facts = describe(dataset)
    assert facts["left_out"] == {"users": 2, "items": 2}
    for role in ("users", "items"):
        assert facts["left_out"][role] == sum(facts["balance"][role]["dropped"].values())
    assert ("left out", "2 users and 2 items, whose ids are kept to say why") in in_words(facts)


def test_nothing_is_written_if_nobody_is_left_out_or_too_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Dataset.from_frame(LOG.head(16)).save(tmp_path / "all")
    monkeypatch.setattr(left_out, "MOST", 1)
    Dataset.from_frame(LOG, ITEMS, min_rating=2, core=2).save(tmp_path / "many")
    for name in ("all", "many"):
        assert not (tmp_path / name / "left_out.parquet").exists()
        assert Dataset.load(tmp_path / name).why_absent("user", "few") is None


def test_a_dataset_without_the_record_is_the_same_otherwise(dataset: Dataset, tmp_path: Path) -> None:
    replace(dataset, left_out=dataset.left_out.clear()).save(tmp_path / "data")
    dataset.save(tmp_path / "data")
    assert len(Dataset.load(tmp_path / "data").left_out) == 4
