"""Every source keeps the contract of sources."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from prism_rec.data.sources import (
    Amazon2014,
    Amazon2018,
    Amazon2023,
    MMRec,
    MovieLens,
    Planted,
    RecBole,
    Source,
    Table,
    Text,
    Yelp,
)
from prism_rec.testing import SourceContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test
from raw_dumps import review_2014, review_2018, review_2023, review_yelp, write_lines

EVENTS = [(user, item, 1_537_747_200 + 86_400 * n) for n, (user, item) in enumerate(["aX", "bY", "aY", "bX"])]
EVENTS += [("a", "Z", 1_538_747_200), ("b", "Z", 1_538_747_200)]
HERE = Path(".")


def write_rows(name: str, separator: str, head: str, rows: list[tuple[Any, ...]]) -> None:
    lines = [head, *(separator.join(map(str, row)) for row in rows)]
    Path(name).write_text("\n".join(lines) + "\n")


class TestTable(SourceContract):
    config = Table(interactions=Path("log.csv"), items=Path("items.csv"), columns={"user": "who"})

    def write(self) -> None:
        write_rows("log.csv", ",", "who,item_id,timestamp", EVENTS)
        write_rows("items.csv", ",", "item_id,title", [("X", "A"), ("Y", "B")])


class TestText(SourceContract):
    config = Text(interactions=Path("log.txt"), items=Path("items.tsv"), columns={"item": "id"})

    def write(self) -> None:
        write_rows("log.txt", " ", "a X Y Z", [("b", "Y", "X", "Z")])
        write_rows("items.tsv", "\t", "id\ttitle", [("X", "A"), ("Y", "B")])


class TestMovieLens(SourceContract):
    config = MovieLens(folder=HERE)

    def write(self) -> None:
        rows = [(user, item, 4.5, time) for user, item, time in EVENTS]
        write_rows("ratings.csv", ",", "userId,movieId,rating,timestamp", rows)
        write_rows("movies.csv", ",", "movieId,title,genres", [("X", "A", "Drama|War")])
        write_rows("tags.csv", ",", "userId,movieId,tag,timestamp", [("a", "X", "long", 3)])


class TestAmazon2014(SourceContract):
    config = Amazon2014(reviews=Path("reviews.json.gz"), metadata=Path("meta.json.gz"))

    def write(self) -> None:
        write_lines(Path("reviews.json.gz"), map(review_2014, EVENTS))
        write_lines(Path("meta.json.gz"), [repr({"asin": "X", "title": "A"})])


class TestAmazon2018(SourceContract):
    config = Amazon2018(reviews=Path("reviews.json"), metadata=Path("meta.json"))

    def write(self) -> None:
        write_lines(Path("reviews.json"), map(review_2018, EVENTS))
        write_lines(Path("meta.json"), [{"asin": "X", "title": "A", "imageURL": ["x.jpg"]}])


class TestAmazon2023(SourceContract):
    config = Amazon2023(reviews=Path("reviews.jsonl"), metadata=Path("meta.jsonl"))

    def write(self) -> None:
        write_lines(Path("reviews.jsonl"), map(review_2023, EVENTS))
        write_lines(Path("meta.jsonl"), [{"parent_asin": "X", "title": "A"}])


class TestYelp(SourceContract):
    config = Yelp(folder=HERE)

    def write(self) -> None:
        write_lines(Path("yelp_academic_dataset_review.json"), map(review_yelp, EVENTS))
        write_lines(Path("yelp_academic_dataset_business.json"), [{"business_id": "X", "name": "A"}])
        Path("photos.json").write_text(json.dumps({"photo_id": "p", "business_id": "X", "label": "food"}))


class TestRecBole(SourceContract):
    config = RecBole(interactions=HERE)

    def write(self) -> None:
        write_rows("x.inter", "\t", "user_id:token\titem_id:token\ttimestamp:float", EVENTS)
        write_rows("x.item", "\t", "item_id:token\ttitle:token_seq", [("X", "A")])
        write_rows("x.user", "\t", "user_id:token\tage:float", [("a", 24)])


class TestMMRec(SourceContract):
    config = MMRec(folder=HERE)

    def write(self) -> None:
        numbers = {"a": 0, "b": 1, "X": 0, "Y": 1, "Z": 2}
        rows = [(numbers[user], numbers[item], time) for user, item, time in EVENTS]
        write_rows("x.inter", "\t", "userID\titemID\ttimestamp", rows)
        write_rows("i_id_mapping.csv", "\t", "asin\titemID", [("X", 0), ("Y", 1), ("Z", 2)])
        np.save("text_feat.npy", np.eye(3))


class TestPlanted(SourceContract):
    config = Planted(number_of_users=5, number_of_items=30, events_per_user=4)

    def write(self) -> None:
        """Write nothing: its events are made up."""


def test_every_source_has_a_contract_test() -> None:
    assert_every_one_has_a_contract_test(Source, SourceContract, globals())
