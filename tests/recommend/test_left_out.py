"""Users and items that the data dropped: what is said of them, and what they get."""

from pathlib import Path

import polars as pl
import pytest

from prism_rec import Dataset, Recommender, RunConfig, load, train
from prism_rec.errors import InputError
from prism_rec.events import Events


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    rows = [(f"u{user}", f"i{(user + item) % 8}", item) for user in range(8) for item in range(6)]
    log = pl.DataFrame(
        [*rows, ("few", "i0", 1), ("few", "rare", 2)],
        schema=["user_id", "item_id", "timestamp"],
        orient="row",
    )
    folder = tmp_path_factory.mktemp("runs") / "run"
    config = RunConfig.parse({"model": {"width": 8, "fusion": {"kind": "id"}}, "train": {"epochs": 1}})
    train(config, folder, data=Dataset.from_frame(log, core=5))
    return load(folder, "cpu")


def test_dropped_users_get_popular_items_with_the_reason(recommender: Recommender) -> None:
    notes = Notes()
    frame = recommender.recommend(users=["u1", "few", "stranger"], k=2, events=notes)
    assert dict(frame.select("user_id", "basis").unique().iter_rows()) == {
        "u1": "model",
        "few": "popularity",
        "stranger": "popularity",
    }
    reason = "which had 2 events, fewer than the minimum 5"
    assert notes.lines == [f"note: 2 of 3 users are unknown, first 'few', {reason}"]


def test_dropped_items_are_named_with_the_reason(recommender: Recommender) -> None:
    notes = Notes()
    recommender.recommend([["i1", "rare"]], k=2, exclude=["rare"], events=notes)
    reason = "first 'rare', which had 1 event, fewer than the minimum 5"
    assert notes.lines == [
        f"note: unknown items in the histories: 1, {reason}; left out",
        f"note: 1 of 1 excluded items are unknown, {reason}; skipped",
    ]
    message = "item 'rare' had 1 event, fewer than the minimum 5, so the model does not know it"
    with pytest.raises(InputError, match=message):
        recommender.explain(["i1"], "rare")
    with pytest.raises(InputError, match="user 'few' had 2 events, fewer than the minimum 5"):
        recommender.history_of("few")
    with pytest.raises(InputError, match="user 'x' is unknown to the model; check its id"):
        recommender.history_of("x")


def test_a_folder_without_histories_keeps_no_ids_of_users(recommender: Recommender, tmp_path: Path) -> None:
    recommender.save(tmp_path / "bundle", histories=False)
    assert load(tmp_path / "bundle").dataset.left_out["role"].unique().to_list() == ["item"]
