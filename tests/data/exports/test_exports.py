from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.data import Dataset, RawLog, Temporal
from prism_rec.data.exports import MMRecFolder, RecBoleFiles
from prism_rec.data.exports.tab_separated import flatten
from prism_rec.data.sources import MMRec, RecBole
from prism_rec.errors import DataError

IDS = ["B0", "007", "7", "é 😀", "../../x", "null"]


def make(ids: list[str] = IDS, **options: object) -> Dataset:
    log = pl.DataFrame(
        {
            "user_id": [user for user in ("ann", "../bob", "7") for _ in ids],
            "item_id": ids + ids[::-1] + ids[2:] + ids[:2],
            "timestamp": [10 * place for place in range(3 * len(ids))],
        }
    )
    items = pl.DataFrame(
        {
            "item_id": ids,
            "title": ["A\tb", 'say "x"', None, "two\nlines", "", "t"],
            "categories": [["Home", "Lamps and more"], [], ["x"], None, ["a", "b"], ["c"]],
            "price:usd": [1.5, None, 2.0, 3.0, 4.0, 5.0],
        }
    )
    vectors = np.random.default_rng(0).standard_normal((len(ids), 4))
    features = {"image": (vectors, ids), "text": (vectors[1:, :3], ids[1:]), "audio": (vectors, ids)}
    return Dataset.from_frame(log, items, features, **options)  # type: ignore[arg-type]


FORMATS = {"recbole": RecBoleFiles(), "mmrec": MMRecFolder()}


def export(dataset: Dataset, form: str, folder: Path) -> None:
    folder.mkdir()
    written = FORMATS[form].write(dataset, folder)  # type: ignore[attr-defined]
    assert sorted(written) == sorted(path.name for path in folder.iterdir())


def read(form: str, folder: Path) -> RawLog:
    return RecBole(interactions=folder).read() if form == "recbole" else MMRec(folder=folder).read()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("time", ["absolute", "order"])
def test_what_is_written_is_read_back(tmp_path: Path, form: str, time: str) -> None:
    dataset = make(time=time)
    export(dataset, form, tmp_path / "set")
    again = Dataset.from_log(read(form, tmp_path / "set"))
    ids, ids_again = dataset.items["item_id"], again.items["item_id"]
    assert again.users["user_id"].to_list() == dataset.users["user_id"].to_list()
    for user in range(3):
        history, history_again = dataset.histories[user] - 1, again.histories[user] - 1
        assert ids.gather(history).to_list() == ids_again.gather(history_again).to_list()
    assert again.notes == dataset.notes
    for name, table in again.features.items():
        given = dataset.features[name]
        order = [0, *(ids.to_list().index(item) + 1 for item in ids_again)]
        np.testing.assert_allclose(table.vectors, given.vectors[order], atol=1e-7)
        np.testing.assert_array_equal(table.present, given.present[order])
    assert list(again.features) == (["image", "text"] if form == "mmrec" else [])


def test_recbole_gets_typed_columns_without_separators_in_them(tmp_path: Path) -> None:
    export(make(), "recbole", tmp_path / "set")
    inter, item = ((tmp_path / f"set/set.{kind}").read_text().split("\n") for kind in ("inter", "item"))
    assert inter[:2] == ["user_id:token\titem_id:token\ttimestamp:float", "ann\tB0\t0"]
    assert item == [
        "item_id:token\ttitle:token_seq\tcategories:token_seq\tprice_usd:float",
        "B0\tA b\tHome Lamps_and_more\t1.5",
        "007\tsay  x \t\t",
        "7\t\tx\t2.0",
        "é 😀\ttwo lines\t\t3.0",
        "../../x\t\ta b\t4.0",
        "null\tt\tc\t5.0",
        "",
    ]
    assert (tmp_path / "set/set.user").read_text().startswith("user_id:token\nann\n")


def test_mmrec_gets_labels_numbers_and_matrices(tmp_path: Path) -> None:
    export(make(), "mmrec", tmp_path / "set")
    lines = (tmp_path / "set/set.inter").read_text().splitlines()
    assert lines[:2] == ["userID\titemID\ttimestamp\tx_label", "0\t0\t0\t0"]
    assert [line.rsplit("\t", 1)[1] for line in lines[1:7]] == ["0", "0", "0", "0", "1", "2"]
    assert (tmp_path / "set/i_id_mapping.csv").read_text().startswith("item_id\titemID\nB0\t0\n007\t1\n")
    text = np.load(tmp_path / "set/text_feat.npy")
    assert text.shape == (6, 3)
    assert not text[0].any()
    assert (tmp_path / "set/audio_feat.npy").exists()


def test_a_temporal_split_becomes_labels_by_time(tmp_path: Path) -> None:
    export(make(split=Temporal(times=(30, 100))), "mmrec", tmp_path / "set")
    lines = (tmp_path / "set/set.inter").read_text().splitlines()[1:]
    labels = {int(line.split("\t")[2]): line.rsplit("\t", 1)[1] for line in lines}
    assert [labels[time] for time in (20, 30, 90, 100, 170)] == ["0", "1", "1", "2", "2"]


def test_users_without_a_question_have_the_labels_of_their_times(tmp_path: Path) -> None:
    times = {"training": [1, 2], "validation": [10, 11], "test": [20, 21], "all": [3, 12, 22]}
    rows = [(user, f"i{n}", time) for user, moments in times.items() for n, time in enumerate(moments)]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    export(Dataset.from_frame(log, split=Temporal(times=(10, 20))), "mmrec", tmp_path / "set")
    lines = (tmp_path / "set/set.inter").read_text().splitlines()[1:]
    assert [line.rsplit("\t", 1)[1] for line in lines] == ["0", "0", "1", "1", "2", "2", "0", "1", "2"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("bad", ["a\tb", "a\nb", 'a"b'])
def test_an_id_that_the_format_cannot_hold_is_refused(tmp_path: Path, form: str, bad: str) -> None:
    with pytest.raises(DataError, match="item_id .* which the format does not allow; rename it"):
        export(make([*IDS[:5], bad]), form, tmp_path / "set")
    assert list((tmp_path / "set").iterdir()) == []


def test_columns_of_odd_types_are_written_as_text() -> None:
    assert flatten(pl.Series([timedelta(1), None])).to_list() == ["1 day, 0:00:00", None]
    assert flatten(pl.Series([[[1], [2, 3]]])).to_list() == ["1, 2, 3"]
    assert flatten(pl.Series([["a b", "c"]])).to_list() == ["a_b c"]
