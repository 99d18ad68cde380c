"""The bundled example: the numbers that documents and demo state."""

from pathlib import Path

import pytest

from prism_rec.data import Cleaning, Dataset
from prism_rec.data.sources import MovieLens
from prism_rec.stages.prepare import Prepare, prepare

EXAMPLE = Path(__file__).parents[2] / "examples" / "movielens-small"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    features = {name: str(EXAMPLE / f"{name}.npy") for name in ("image", "text")}
    out = tmp_path_factory.mktemp("example") / "data"
    cleaning = Cleaning(min_rating=4, core=5)
    return prepare(Prepare(source=MovieLens(folder=EXAMPLE), features=features, cleaning=cleaning), out)


def test_counts(dataset: Dataset) -> None:
    assert dataset.counts() == {"users": 601, "items": 1955, "interactions": 41227}
    assert int(dataset.histories.lengths.min()) >= 5


def test_a_dozen_films_have_no_picture_and_none_lacks_text(dataset: Dataset) -> None:
    present = {name: int(table.present.sum()) for name, table in dataset.features.items()}
    assert present == {"image": 1942, "text": 1955}


def test_films_have_titles_genres_and_tags(dataset: Dataset) -> None:
    first = dataset.items.row(0, named=True)
    assert first == {
        "row": 1,
        "item_id": "1",
        "title": "Toy Story (1995)",
        "genres": "Adventure, Animation, Children, Comedy, Fantasy",
        "tags": "pixar, fun",
    }
    assert not dataset.items["title"].null_count()


def test_it_is_small_and_has_no_pictures() -> None:
    files = list(EXAMPLE.iterdir())
    assert sum(path.stat().st_size for path in files) < 5_000_000
    assert {path.suffix for path in files} <= {".gz", ".npy", ".txt", ".md"}
    assert {"README.txt", "ACKNOWLEDGEMENT.md"} <= {path.name for path in files}
