import gzip
from pathlib import Path

import polars as pl
import pytest

from prism_rec.data.sources import MovieLens
from prism_rec.errors import InputError, SettingsError

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.0,964982703\n1,20,3.5,964982703\n2,10,5.0,964982700\n"
MOVIES = 'movieId,title,genres\n10,"Misérables, Les (1995)",Drama|War\n20,Clip,(no genres listed)\n'
TAGS = "userId,movieId,tag,timestamp\n2,10,long,9\n1,10,French,8\n1,10,long,7\n"


def write_csv(folder: Path, ending: str = "") -> None:
    for name, text in {"ratings": RATINGS, "movies": MOVIES, "tags": TAGS}.items():
        data = text.encode()
        (folder / f"{name}.csv{ending}").write_bytes(gzip.compress(data) if ending else data)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_reads_ratings_films_and_tags(tmp_path: Path, ending: str) -> None:
    write_csv(tmp_path, ending)
    source = MovieLens(folder=tmp_path)
    log = source.read()
    assert log.events.rows() == [
        ("1", "10", 964982703, 4.0),
        ("1", "20", 964982703, 3.5),
        ("2", "10", 964982700, 5.0),
    ]
    assert log.items is not None
    assert log.items.columns == ["item_id", "title", "genres", "tags"]
    assert log.items.rows() == [
        ("10", "Misérables, Les (1995)", "Drama, War", "long, French"),
        ("20", "Clip", None, None),
    ]
    assert log.time == "absolute"
    assert source.files() == tuple(tmp_path / f"{name}.csv{ending}" for name in ("ratings", "movies", "tags"))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_reads_the_older_format(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ratings.dat").write_text("1::10::5::978300760\n2::10::3.5::978302109\n")
    movies = "10::Misérables, Les (1995)::Drama|War\n"
    (tmp_path / "movies.dat").write_text(movies, encoding=encoding)
    log = MovieLens(folder=tmp_path).read()
    assert log.events.rows() == [("1", "10", 978300760, 5.0), ("2", "10", 978302109, 3.5)]
    assert log.items is not None
    assert log.items.rows() == [("10", "Misérables, Les (1995)", "Drama, War")]


def test_a_folder_that_lacks_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; give the folder with ratings"):
        MovieLens(folder=tmp_path / "ratings.csv").files()
    with pytest.raises(InputError, match=r"has no ratings\.csv, ratings\.csv\.gz, ratings\.dat or u\.data"):
        MovieLens(folder=tmp_path).read()
    (tmp_path / "ratings.csv").write_text(RATINGS)
    with pytest.raises(InputError, match=r"has no movies\.csv"):
        MovieLens(folder=tmp_path).read()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ratings.csv", "user,movie\n1,2\n", r"ratings\.csv has no columns 'userId', 'movieId', "),
        (
            "ratings.csv",
            RATINGS.replace("964982700", "?"),
            r"ratings\.csv, row 3: timestamp '\?' is not a time",
        ),
        ("movies.csv", "id,title\n1,2\n", r"movies\.csv has no column 'movieId'"),
        ("movies.csv", MOVIES + "10,Again,Drama\n", r"movies\.csv, row 3 repeats the id '10'"),
        ("tags.csv", "tag\nx\n", r"tags\.csv has no column 'userId'"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    write_csv(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        MovieLens(folder=tmp_path).read()


def test_a_line_cut_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::10::5::978300760\n2::1")
    (tmp_path / "movies.dat").write_text("10::A::B\n")
    with pytest.raises(InputError, match=r"ratings\.dat, row 2: timestamp None is not a time"):
        MovieLens(folder=tmp_path).read()


def test_settings_of_other_sources_are_refused(tmp_path: Path) -> None:
    for key, value in {"items": "items.csv", "columns": {"user": "u"}, "time": "order"}.items():
        with pytest.raises(SettingsError, match=f"unknown key {key}"):
            MovieLens.parse({"folder": tmp_path, key: value}, "source")


def test_tags_of_a_film_are_few_for_many(tmp_path: Path) -> None:
    write_csv(tmp_path)
    (tmp_path / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,20,,1\n2,20,a,x\n")
    items = MovieLens(folder=tmp_path).read().items
    assert isinstance(items, pl.DataFrame)
    assert items["tags"].to_list() == [None, "a"]
