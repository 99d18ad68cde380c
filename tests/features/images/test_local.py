"""Photos from folders and archives, wherever their names point."""

import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from features.images.picture_server import draw
from prism_rec.errors import InputError
from prism_rec.features.images import PICTURES, visits
from prism_rec.features.images.local import read_photos
from prism_rec.features.images.outcome import Failure
from prism_rec.stages.images import Images
from prism_rec.stages.images import images as run

PHOTOS = {
    "one.jpg": draw(1),
    "deep/two.jpg": draw(2),
    "./three.png": draw(3, kind="PNG"),
    "large.jpg": b"x" * 9000,
}
WANTED = {"one.jpg", "deep/two.jpg", "three.png", "large.jpg", "absent.jpg"}
MOST = 8000


def make_folder(place: Path) -> Path:
    for name, content in PHOTOS.items():
        (place / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "photos" / name).write_bytes(content)
    return place / "photos"


def make_zip(place: Path) -> Path:
    with zipfile.ZipFile(place / "photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in PHOTOS.items():
            archive.writestr(name, content)
    return place / "photos.zip"


def make_tar(place: Path, mode: str = "w") -> Path:
    with tarfile.open(place / "photos.tar", mode) as archive:
        for name, content in PHOTOS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return place / "photos.tar"


def make_packed_tar(place: Path) -> Path:
    return make_tar(place, "w:gz")


def gather(table: object, out: Path, settings: Images) -> None:
    run(settings, out, sources=table)


EVERY_PLACE = pytest.mark.parametrize("make", [make_folder, make_zip, make_tar, make_packed_tar])


def tell(place: Path, names: set[str]) -> dict[str, bytes | str]:
    found = {}
    for name, photo in read_photos(place, names, MOST):
        assert name not in found
        found[name] = photo.reason if isinstance(photo, Failure) else photo
    return found


@EVERY_PLACE
def test_every_place_gives_the_same(make, tmp_path: Path) -> None:
    assert tell(make(tmp_path), WANTED) == {
        "one.jpg": PHOTOS["one.jpg"],
        "deep/two.jpg": PHOTOS["deep/two.jpg"],
        "three.png": PHOTOS["./three.png"],
        "large.jpg": "too-many-bytes",
        "absent.jpg": "no-such-photo",
    }


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_packed_folder_is_as_good_as_its_photos(kind: str, tmp_path: Path) -> None:
    make_folder(tmp_path)
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path, "photos"))
    found = tell(archive, {"one.jpg", "photos/deep/two.jpg", "deep/two.jpg", "two.jpg"})
    assert found == {
        "one.jpg": PHOTOS["one.jpg"],
        "photos/deep/two.jpg": PHOTOS["deep/two.jpg"],
        "deep/two.jpg": "no-such-photo",
        "two.jpg": "no-such-photo",
    }


@EVERY_PLACE
def test_local_photos_are_gathered_like_any_other(make, tmp_path: Path) -> None:
    names = sorted(WANTED)
    table = pl.DataFrame({"item_id": names, "images": names})
    options = Images(local=make(tmp_path), size=32, max_bytes=MOST)
    gather(table, tmp_path / "images", options)
    rows = pl.read_parquet(tmp_path / "images" / PICTURES)
    assert dict(rows.select("item_id", pl.coalesce("reason", "status")).iter_rows()) == {
        "one.jpg": "ok",
        "deep/two.jpg": "ok",
        "three.png": "ok",
        "large.jpg": "too-many-bytes",
        "absent.jpg": "no-such-photo",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({options.local.name, "images"})


def test_a_photo_that_comes_later_is_read_by_the_next_run(tmp_path: Path) -> None:
    photos, images = make_folder(tmp_path), tmp_path / "images"
    table = pl.DataFrame({"item_id": ["a", "b"], "images": ["one.jpg", "later.jpg"]})
    gather(table, images, Images())
    assert pl.read_parquet(images / PICTURES)["reason"].to_list() == ["no-local-photos"] * 2
    gather(table, images, Images(local=photos))
    assert pl.read_parquet(images / PICTURES)["status"].to_list() == ["ok", "retry"]
    (photos / "later.jpg").write_bytes(draw(4))
    gather(table, images, Images(local=photos))
    assert pl.read_parquet(images / PICTURES)["status"].to_list() == ["ok", "ok"]


def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    photos = make_folder(tmp_path)
    (tmp_path / "secret.jpg").write_bytes(draw(5))
    (photos / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    names = {"../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "deep/../../secret.jpg", "zero\0.jpg"}
    assert set(tell(photos, names).values()) == {"path-refused"}


def test_what_is_no_file_is_no_photo(tmp_path: Path) -> None:
    photos = make_folder(tmp_path)
    os.mkfifo(photos / "pipe.jpg")
    found = tell(photos, {"deep", "pipe.jpg", "n" * 300 + ".jpg", "one.jpg/two.jpg"})
    assert set(found.values()) <= {"no-such-photo", "unreadable"}


def test_members_with_hostile_names_or_kinds_are_never_extracted(tmp_path: Path) -> None:
    place = tmp_path / "hostile.tar"
    with tarfile.open(place, "w") as archive:
        for name in ("../out.jpg", "/abs.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"body"))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    assert tell(place, {"../out.jpg", "/abs.jpg", "link.jpg"}) == {
        "../out.jpg": b"body",
        "/abs.jpg": b"body",
        "link.jpg": "no-such-photo",
    }
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_with_one_name_the_first_is_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
    assert tell(tmp_path / "a.zip", {"a.jpg"}) == {"a.jpg": b"first"}


def test_a_member_that_unpacks_to_too_much_or_to_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("wrong.jpg", b"0123456789")
        archive.writestr("bomb.jpg", bytes(10**7), zipfile.ZIP_DEFLATED)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"0123456789", b"0123456780"))
    found = tell(tmp_path / "a.zip", {"wrong.jpg", "bomb.jpg"})
    assert found == {"wrong.jpg": "unreadable", "bomb.jpg": "too-many-bytes"}


def test_an_archive_cut_short_is_one_clear_error_and_what_was_read_is_kept(tmp_path: Path) -> None:
    place = make_packed_tar(tmp_path)
    place.write_bytes(place.read_bytes()[:-1200])
    table = pl.DataFrame({"item_id": ["a", "b"], "images": ["one.jpg", "large.jpg"]})
    with pytest.raises(InputError, match=r"photos\.tar cannot be read \(.*\); fetch it again"):
        gather(table, tmp_path / "images", Images(local=place))
    assert len((tmp_path / "images" / "journal.jsonl").read_text().splitlines()) == 2


def test_a_place_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos.rar").write_bytes(b"Rar!")
    with pytest.raises(InputError, match="neither a folder nor a zip or tar archive"):
        tell(tmp_path / "photos.rar", {"a.jpg"})
    with pytest.raises(InputError, match="no such folder or archive"):
        tell(tmp_path / "nowhere", {"a.jpg"})


def test_of_an_item_s_photos_only_those_up_to_the_first_picture_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, images = make_folder(tmp_path), tmp_path / "images"
    sources = [
        ["absent.jpg", "large.jpg", "one.jpg", "unread.jpg"],
        ["deep/two.jpg", "three.png"],
        ["large.jpg"],
    ]
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "images": sources})
    read = []

    def spy(place: Path, names: set[str], max_bytes: int):
        read.append(sorted(names))
        return read_photos(place, names, max_bytes)

    monkeypatch.setattr(visits, "read_photos", spy)
    gather(table, images, Images(local=photos, max_bytes=MOST))
    assert read == [["absent.jpg", "deep/two.jpg", "large.jpg"], ["one.jpg"]]
    assert pl.read_parquet(images / PICTURES)["url"].to_list() == ["one.jpg", "deep/two.jpg", "large.jpg"]
    read.clear()
    gather(table, images, Images(local=photos, max_bytes=MOST, visit="everything"))
    assert read == [["absent.jpg", "deep/two.jpg", "large.jpg"], ["one.jpg"]]
