import polars as pl
import pytest

from features.drawn import plain
from prism_rec.errors import DamagedError, InputError
from prism_rec.features.contents import pictures_of, texts_of
from prism_rec.files import hash_file
from prism_rec.folders import finish_folder


def items(**columns):
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({"item_id": [f"i{row}" for row in range(rows)], **columns})


def draw(folder, **colours):
    folder.mkdir(exist_ok=True)
    for name, colour in colours.items():
        plain("RGB", (40, 30), colour).save(folder / f"{name}.png")


def test_fields_are_joined_in_the_order_asked():
    frame = items(
        title=["Red  lamp", None, "\n"],
        price=[3, 4, None],
        categories=[["Home", "Lamps"], [], [None, ""]],
    )
    contents = texts_of(frame, ["categories", "title", "price"])
    assert [entry.value for entry in contents.entries] == ["Home > Lamps Red lamp 3", "4", None]
    assert [entry.absent for entry in contents.entries] == [None, None, "no text"]


@pytest.mark.parametrize(
    ("frame", "fields", "message"),
    [
        (items(title=["a"]), ["name"], "no column 'name'; choose from item_id, title"),
        (items(title=["a"]), [], "no `fields` to encode"),
        (pl.DataFrame({"title": ["a"]}), ["title"], "no column 'item_id'"),
        (pl.DataFrame({"item_id": ["a", "a"], "title": ["x", "y"]}), ["title"], "row 2 repeats the id 'a'"),
        (pl.DataFrame({"item_id": ["a", None], "title": ["x", "y"]}), ["title"], "row 2: no item_id"),
        (pl.DataFrame({"item_id": ["a"], "title": ["x"]}), ["title", "title"], "'title' is given twice"),
    ],
)
def test_bad_item_tables_are_refused(frame, fields, message):
    with pytest.raises(InputError, match=message):
        texts_of(frame, fields)


def test_pictures_by_name_by_table_and_from_the_images_stage(tmp_path):
    folder = tmp_path / "p"
    draw(folder, a="red", b="blue")
    assert [entry.item_id for entry in pictures_of(folder).entries] == ["a", "b"]
    table = pl.DataFrame({"item_id": ["x", "y", "z"], "file": ["b.png", "none.png", None]})
    entries = pictures_of(folder, table).entries
    assert [entry.value for entry in entries] == [folder / "b.png", None, None]
    gathered = {
        "item_id": ["m", "n"],
        "status": ["ok", "failed"],
        "reason": [None, "http-404"],
        "file": ["a.png", None],
        "sha256": ["00", None],
        "stored_sha256": [hash_file(folder / "a.png"), None],
    }
    pl.DataFrame(gathered).write_parquet(folder / "pictures.parquet")
    with pytest.raises(InputError, match="never finished"):
        pictures_of(folder)
    (folder / "pictures.parquet").rename(tmp_path / "later.parquet")
    (folder / "journal.jsonl").touch()
    with pytest.raises(InputError, match="never finished; run images again"):
        pictures_of(folder)
    (tmp_path / "later.parquet").rename(folder / "pictures.parquet")
    finish_folder(folder, "images", {"size": 224}, ["pictures.parquet"])
    entries = pictures_of(folder).entries
    assert [(entry.value, entry.absent) for entry in entries] == [
        (folder / "a.png", None),
        (None, "no picture (http-404)"),
    ]
    draw(folder, a="blue")
    with pytest.raises(DamagedError, match=r"a\.png is missing or was changed .*; run images again"):
        pictures_of(folder)


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hostname"])
def test_a_table_cannot_name_files_outside(tmp_path, file):
    (tmp_path / "p").mkdir()
    with pytest.raises(InputError, match="is outside the folder"):
        pictures_of(tmp_path / "p", pl.DataFrame({"item_id": ["x"], "file": [file]}))


def test_picture_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        pictures_of(tmp_path / "none")
    with pytest.raises(InputError, match="has no pictures"):
        pictures_of(tmp_path)


def test_a_picture_of_another_size_is_encoded_again(tmp_path):
    gathered = {"item_id": ["m"], "status": ["ok"], "reason": [None], "file": ["a.png"], "sha256": ["00"]}
    keys: list[str | None] = []
    for size in (224, 224, 384):
        folder = tmp_path / f"{len(keys)}"
        draw(folder, a="red")
        stored = {"stored_sha256": [hash_file(folder / "a.png")]}
        pl.DataFrame(gathered | stored, schema_overrides={"reason": pl.String}).write_parquet(
            folder / "pictures.parquet"
        )
        finish_folder(folder, "images", {"size": size}, ["pictures.parquet"])
        keys.append(pictures_of(folder).entries[0].key)
    assert keys[0] == keys[1] != keys[2]


def test_pictures_in_subfolders_are_found_and_other_files_are_skipped_and_named(tmp_path):
    draw(tmp_path / "010", a="red")
    draw(tmp_path / "011", b="blue", c="green")
    (tmp_path / "011/b.png").rename(tmp_path / "011/b.v2.PNG")
    draw(tmp_path / ".cache", hidden="red")
    for name in ("Thumbs.db", "010/README.txt", ".hidden.png"):
        (tmp_path / name).write_text("x")
    contents = pictures_of(tmp_path)
    assert [entry.item_id for entry in contents.entries] == ["a", "b.v2", "c"]
    assert contents.skipped == ("010/README.txt", "Thumbs.db")
    named, skipped = contents.notes()
    assert "note: file names are taken as item ids: " in named
    assert "2 files without the ending of a picture" in skipped
    draw(tmp_path / "011", a="blue")
    with pytest.raises(InputError, match=r"010/a\.png and 011/a\.png are both of item 'a'; keep one"):
        pictures_of(tmp_path)


def test_nan_is_no_text():
    frame = pl.DataFrame({"item_id": ["a", "b"], "size": [float("nan"), 1.5]})
    assert [entry.value for entry in texts_of(frame, ["size"]).entries] == [None, "1.5"]
