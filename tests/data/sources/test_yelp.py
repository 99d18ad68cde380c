from pathlib import Path
from typing import Any

import pytest

from prism_rec.data.sources import Yelp
from prism_rec.errors import InputError, SettingsError
from raw_dumps import review_yelp, write_lines

REVIEWS = [("u1", "A", 1537799250), ("u2", "B", 1537747200), ("u1", "B", 1537799251)]
BUSINESSES: list[dict[str, Any]] = [
    {
        "business_id": "A",
        "name": "Pat's &amp; Sons",
        "city": "Paris",
        "state": "TX",
        "categories": "Pizza,  Bars",
        "attributes": {
            "WiFi": "u'free'",
            "GoodForKids": "True",
            "RestaurantsTakeOut": "False",
            "Alcohol": "u'none'",
            "RestaurantsPriceRange2": "2",
            "Ambience": "{'romantic': False, 'casual': True, u'classy': True}",
            "BusinessParking": "{'garage': False}",
            "NoiseLevel": None,
            "Odd": "exit()",
        },
        "hours": {"Monday": "0:0-0:0"},
    },
    {"business_id": "B", "name": "B", "city": "", "categories": None, "attributes": None},
    {"business_id": "C", "name": "not in the log"},
]
PHOTOS = [
    {"photo_id": "p1", "business_id": "A", "caption": "", "label": "menu"},
    {"photo_id": "p2", "business_id": "A", "caption": "x", "label": "inside"},
    {"photo_id": "p3", "business_id": "A", "label": "food"},
    {"photo_id": "p4", "business_id": "A", "label": "food"},
    {"photo_id": "p5", "business_id": "A"},
    {"photo_id": "../../p6", "business_id": "C", "label": "food"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lines(tmp_path / "yelp_academic_dataset_review.json", map(review_yelp, REVIEWS))
    write_lines(tmp_path / "yelp_academic_dataset_business.json", BUSINESSES)
    write_lines(tmp_path / "photos.json", PHOTOS)
    return tmp_path


def test_reads_reviews_businesses_and_photos(folder: Path) -> None:
    log = Yelp(folder=folder).read()
    assert log.events.rows() == [(user, item, seconds, 4.0) for user, item, seconds in REVIEWS]
    assert log.items is not None
    assert log.items.columns == ["item_id", "title", "categories", "attributes", "city", "state", "images"]
    attributes = "wi fi free, good for kids, restaurants price range2 2, ambience casual classy, odd exit()"
    assert log.items.rows() == [
        (
            "A",
            "Pat's & Sons",
            "Pizza, Bars",
            attributes,
            "Paris",
            "TX",
            ["p3.jpg", "p4.jpg", "p2.jpg", "p1.jpg", "p5.jpg"],
        ),
        ("B", "B", None, None, None, None, None),
    ]
    assert (log.time, log.dropped) == ("absolute", {})


def test_files_may_be_named_one_by_one(folder: Path) -> None:
    reviews, businesses, photos = (
        folder / name
        for name in (
            "yelp_academic_dataset_review.json",
            "yelp_academic_dataset_business.json",
            "photos.json",
        )
    )
    sources = Yelp(folder=folder), Yelp(reviews=reviews, businesses=businesses, photos=photos)
    assert sources[0].files() == sources[1].files() == (reviews, businesses, photos)
    whole, named = (source.read() for source in sources)
    assert whole.items is not None
    assert named.items is not None
    assert whole.items.equals(named.items)
    assert Yelp(reviews=reviews).read().items is None
    without = Yelp(reviews=reviews, businesses=businesses).read().items
    assert without is not None
    assert "images" not in without.columns


def test_a_folder_may_lack_all_but_the_reviews(folder: Path) -> None:
    (folder / "yelp_academic_dataset_business.json").unlink()
    assert Yelp(folder=folder).read().items is None
    (folder / "yelp_academic_dataset_review.json").unlink()
    with pytest.raises(InputError, match=r"has no yelp_academic_dataset_review\.json"):
        Yelp(folder=folder).read()


def test_odd_records_are_told(folder: Path) -> None:
    businesses = [{**BUSINESSES[0], "attributes": ["WiFi"], "categories": ["Pizza", "Bars"]}]
    write_lines(folder / "yelp_academic_dataset_business.json", businesses)
    write_lines(folder / "photos.json", [*PHOTOS * 60, {"photo_id": "p", "label": "food"}, "nonsense"])
    log = Yelp(folder=folder).read()
    assert log.items is not None
    assert log.items.row(0)[2:4] == ("Pizza, Bars", None)
    assert log.dropped == {"descriptions_unreadable": 2, "fields_unreadable": 1}
    assert log.notes == (
        "yelp_academic_dataset_business.json, line 1: attributes: expected an object; left empty",
        "photos.json, line 361: no business_id; skipped",
        "photos.json, line 362: not JSON; skipped",
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "give either `folder` or `reviews`"),
        (["folder", "reviews"], "give either `folder` or `reviews`"),
        (["folder", "photos"], "`businesses` and `photos` are read from `folder`"),
        (["reviews", "photos"], "`photos` needs the file of businesses; add `businesses`"),
        (["reviews", "columns"], "unknown key columns"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Yelp.parse(dict.fromkeys(names, "x"), "source")
