from pathlib import Path

import numpy as np
import pytest

from prism_rec.data import Dataset
from prism_rec.data.sources import MMRec
from prism_rec.errors import InputError

INTER = (
    "userID\titemID\trating\ttimestamp\tx_label\n"
    "0\t2\t5.0\t30\t2\n0\t0\t5.0\t10\t0\n0\t1\t4.0\t20\t1\n1\t0\t1.0\t5\t0\n1\t1\t1.0\t6\t1\n1\t2\t1.0\t7\t2\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "baby.inter").write_text(INTER)
    np.save(tmp_path / "image_feat.npy", np.eye(4, 6, dtype=np.float32))
    np.save(tmp_path / "text_feat.npy", np.eye(4, dtype=np.float64)[::-1])
    return tmp_path


def make(folder: Path) -> Dataset:
    return Dataset.from_log(MMRec(folder=folder).read())


def test_reads_interactions_and_vectors_by_number(folder: Path) -> None:
    dataset = make(folder)
    assert dataset.items["item_id"].to_list() == ["2", "0", "1"]
    assert dataset.histories[0].tolist() == [2, 3, 1]
    np.testing.assert_array_equal(dataset.features["image"].vectors[1:], np.eye(4, 6)[[2, 0, 1]])
    np.testing.assert_array_equal(dataset.features["text"].vectors[1:], np.eye(4)[[1, 3, 2]])
    assert (dataset.time, dataset.notes) == ("absolute", ())
    files = MMRec(folder=folder).files()
    assert files == tuple(folder / name for name in ("baby.inter", "image_feat.npy", "text_feat.npy"))


def test_ids_come_from_the_mappings_where_there_are_any(folder: Path) -> None:
    (folder / "i_id_mapping.csv").write_text("asin\titemID\nB00\t0\nB01\t1\nB02\t2\nB03\t3\n")
    (folder / "u_id_mapping.csv").write_text("user_id\tuserID\nann\t0\nbob\t1\n")
    dataset = make(folder)
    assert dataset.items["item_id"].to_list() == ["B02", "B00", "B01"]
    assert dataset.users["user_id"].to_list() == ["ann", "bob"]
    np.testing.assert_array_equal(dataset.features["image"].vectors[1:], np.eye(4, 6)[[2, 0, 1]])


def test_without_times_the_labels_are_the_order(folder: Path) -> None:
    (folder / "baby.inter").write_text("userID\titemID\tx_label\n0\t2\t2\n0\t0\t0\n0\t1\t1\n0\t3\t0\n")
    dataset = make(folder)
    assert dataset.time == "order"
    assert dataset.items["item_id"].gather(dataset.histories[0] - 1).to_list() == ["0", "3", "1", "2"]


def test_another_split_is_told(folder: Path) -> None:
    (folder / "baby.inter").write_text(INTER.replace("6\t1\n", "6\t2\n"))
    assert make(folder).notes == (
        "leave-one-out splits 1 of 2 users differently from the source's files or labels; `split` given keeps theirs",
    )


def test_labels_and_features_may_be_missing(folder: Path) -> None:
    (folder / "baby.inter").write_text("\n".join(line.rsplit("\t", 1)[0] for line in INTER.splitlines()))
    for name in ("image", "text"):
        (folder / f"{name}_feat.npy").unlink()
    assert make(folder).features == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("baby.inter", INTER.replace("7\t2", "7\t3"), "column 'x_label' may only have 0, 1 and 2"),
        ("baby.inter", INTER.replace("userID", "user"), "no column 'userID'"),
        ("i_id_mapping.csv", "asin\titemID\nB\t0\n", "does not give each number of the .inter file one id"),
        ("i_id_mapping.csv", "asin\titem\nB\t0\n", "should have the column 'itemID' and a column of ids"),
        ("image_feat.npy", "x", r"image_feat\.npy cannot be read"),
    ],
)
def test_a_wrong_file_is_one_line(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=message) as error:
        make(folder)
    assert "\n" not in str(error.value)


def test_a_file_is_no_folder(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"baby\.inter is not a folder; give the folder with the \.inter file"
    ):
        MMRec(folder=folder / "baby.inter").read()
