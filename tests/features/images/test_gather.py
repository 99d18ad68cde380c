"""Every kind of answer, and what later runs ask for."""

import errno
import hashlib
import io
import json
import time
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from features.images.gathering import HASTY, LOOPBACK, QUICK, gather, statuses, table
from features.images.picture_server import PictureServer, draw
from locks import held_elsewhere
from prism_rec.errors import FolderError, InputError, MachineError
from prism_rec.events import JsonLines
from prism_rec.features.images import PICTURES, STAGE
from prism_rec.features.images.pictures import PictureStore
from prism_rec.folders import require_folder
from prism_rec.stages.images import images as run

EXPECTED = {
    "/ok/a.jpg": ("ok", None, 1),
    "/misnamed/photo.jpg": ("ok", None, 1),
    "/unframed/a.jpg": ("ok", None, 1),
    "/moved/a.jpg": ("ok", None, 1),
    "/busy-once/a.jpg": ("ok", None, 2),
    "/error-once/a.jpg": ("ok", None, 2),
    "/busy-long/a.jpg": ("retry", "http-429", 1),
    "/error/a.jpg": ("retry", "http-500", 2),
    "/truncated/a.jpg": ("retry", "truncated", 2),
    "/truncated-chunks/a.jpg": ("retry", "truncated", 2),
    "/truncated-unframed/a.jpg": ("retry", "truncated", 1),
    "/hang-up/a.jpg": ("retry", "network", 2),
    "/garbage/a.jpg": ("retry", "network", 2),
    "/missing/a.jpg": ("failed", "http-404", 1),
    "/gone/a.jpg": ("failed", "http-410", 1),
    "/no-content/a.jpg": ("failed", "http-204", 1),
    "/not-modified/a.jpg": ("failed", "http-304", 1),
    "/empty/a.jpg": ("failed", "not-a-picture", 1),
    "/page.jpg": ("failed", "not-a-picture", 1),
    "/damaged/a.jpg": ("failed", "damaged", 1),
    "/bomb.png": ("failed", "too-many-pixels", 1),
    "/told-large/a.jpg": ("failed", "too-many-bytes", 1),
    "/untold-large/a.jpg": ("failed", "too-many-bytes", 1),
    "/gzip/a.jpg": ("failed", "content-coding", 1),
    "/loop/a.jpg": ("failed", "too-many-redirects", 1),
    "/to-neighbour/a.jpg": ("failed", "address-refused", 1),
    "/to-metadata/a.jpg": ("failed", "address-refused", 1),
    "/to-file/a.jpg": ("failed", "bad-url", 1),
    "/to-nonsense/a.jpg": ("failed", "bad-url", 1),
    "/to-nowhere/a.jpg": ("failed", "http-301", 1),
}


PASSED = {path for path, (status, _, _) in EXPECTED.items() if status == "ok"}
MAY_PASS = {path for path, (status, _, _) in EXPECTED.items() if status == "retry"}


@pytest.mark.usefixtures("loopback_is_public")
def test_every_answer_has_its_status_and_the_second_run_visits_what_may_pass(
    server: PictureServer, images: Path
) -> None:
    gather(table(server, *EXPECTED), images, QUICK)
    rows = pl.read_parquet(images / PICTURES)
    assert rows["item_id"].to_list() == list(EXPECTED)
    found = rows.select("item_id", pl.concat_list(pl.col("status", "reason", "attempts").cast(pl.String)))
    assert dict(found.iter_rows()) == {
        path: [status, reason, str(attempts)] for path, (status, reason, attempts) in EXPECTED.items()
    }
    assert server.requests["/ok/neighbour.jpg"] == 0
    server.log.clear()
    server.works_again = True
    gather(table(server, *EXPECTED), images, QUICK.model_copy(update={"attempts": 1}))
    assert set(server.requests) == MAY_PASS
    works_now = {"/busy-long/a.jpg", "/error/a.jpg", "/truncated/a.jpg"}
    assert {path for path, status in statuses(images).items() if status == "ok"} == PASSED | works_now


@pytest.mark.slow
def test_answers_that_take_too_long_are_cut_off_and_tried_again_later(
    server: PictureServer, images: Path
) -> None:
    gather(table(server, "/slow/a.jpg", "/drip/a.jpg"), images, HASTY)
    rows = pl.read_parquet(images / PICTURES).select("status", "reason", "attempts")
    assert rows.rows() == [("retry", "timeout", 2)] * 2
    server.works_again = True
    gather(None, images, LOOPBACK)
    assert set(statuses(images).values()) == {"ok"}


def test_stored_pictures_are_as_the_table_tells(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg", "/misnamed/b.jpg"), images, LOOPBACK)
    manifest = require_folder(images, STAGE)
    assert manifest["items"] == {"ok": 2}
    first, second = pl.read_parquet(images / PICTURES).iter_rows(named=True)
    assert first["sha256"] == hashlib.sha256(draw(sum(b"/ok/a.jpg"))).hexdigest()
    assert first["file"] == f"pictures/{first['sha256'][:2]}/{first['sha256']}.jpg"
    assert (first["width"], first["height"], first["bytes"]) == (48, 40, len(draw(sum(b"/ok/a.jpg"))))
    assert first["etag"].startswith('"version-')
    assert second["etag"] is None
    with Image.open(images / first["file"]) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (38, 32))
    assert sorted(path.name for path in images.iterdir()) == [
        "journal.jsonl",
        "lock",
        "manifest.json",
        "pictures",
        "pictures.parquet",
        "sources.parquet",
    ]


def test_retry_visits_failures_alone_and_needs_no_table(server: PictureServer, images: Path) -> None:
    gather(table(server, "/error/a.jpg", "/missing/a.jpg", "/ok/a.jpg"), images, LOOPBACK)
    server.log.clear()
    retry = LOOPBACK.model_copy(update={"visit": "retry"})
    gather(table(server, "/error/a.jpg", "/missing/a.jpg", "/ok/a.jpg", "/ok/new.jpg"), images, retry)
    assert server.requests == {"/error/a.jpg": 2}
    assert statuses(images)["/ok/new.jpg"] == "retry"
    server.works_again = True
    gather(None, images, retry)
    assert server.requests == {"/error/a.jpg": 3}
    assert pl.read_parquet(images / PICTURES)["attempts"].to_list() == [5, 1, 1, 0]
    gather(None, images, LOOPBACK)
    assert set(statuses(images).values()) == {"ok", "failed"}


def test_a_finished_folder_is_not_visited_again(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg", "/missing/a.jpg"), images, LOOPBACK)
    before = (images / PICTURES).read_bytes()
    gather(table(server, "/ok/a.jpg", "/missing/a.jpg"), images, LOOPBACK)
    assert server.requests.total() == 2
    assert (images / PICTURES).read_bytes() == before


def test_refresh_asks_by_etag_and_keeps_what_it_cannot_better(server: PictureServer, images: Path) -> None:
    paths = ("/ok/a.jpg", "/error-later/a.jpg", "/changing/a.jpg", "/missing/a.jpg")
    gather(table(server, *paths), images, LOOPBACK)
    before = pl.read_parquet(images / PICTURES)
    server.log.clear()
    gather(table(server, *paths), images, LOOPBACK.model_copy(update={"visit": "everything"}))
    after = pl.read_parquet(images / PICTURES)
    assert dict(server.log)["/ok/a.jpg"]["If-None-Match"] == before["etag"][0]
    assert server.requests == {
        "/ok/a.jpg": 1,
        "/error-later/a.jpg": 2,
        "/changing/a.jpg": 1,
        "/missing/a.jpg": 1,
    }
    assert after["status"].to_list() == ["ok", "ok", "ok", "failed"]
    assert (after["sha256"] == before["sha256"]).to_list() == [True, True, False, None]


def test_the_first_source_that_yields_a_picture_wins(server: PictureServer, images: Path) -> None:
    sources = ["/missing/a.jpg", "/page.jpg", "/ok/a.jpg", "/ok/never.jpg"]
    rows = pl.DataFrame(
        {
            "item_id": ["both", "both", "none", "shared"],
            "images": [
                [server.base + path for path in sources[:2]],
                [server.base + path for path in sources[2:]],
                [],
                [server.base + "/ok/a.jpg"],
            ],
        }
    )
    gather(rows, images, LOOPBACK)
    found = pl.read_parquet(images / PICTURES)
    assert found["item_id"].to_list() == ["both", "none", "shared"]
    assert found["url"].to_list() == [server.base + "/ok/a.jpg", None, server.base + "/ok/a.jpg"]
    assert found["status"].to_list() == ["ok", "none", "ok"]
    assert server.requests == {"/missing/a.jpg": 1, "/page.jpg": 1, "/ok/a.jpg": 1}


def test_a_host_is_asked_for_so_much_at_a_time(server: PictureServer, images: Path) -> None:
    server.delay = 0.02
    options = LOOPBACK.model_copy(update={"per_host": 3})
    gather(table(server, *(f"/ok/{n}.jpg" for n in range(12))), images, options)
    assert server.most_busy == 3


def test_a_host_that_asks_for_silence_gets_it(server: PictureServer, images: Path) -> None:
    options = LOOPBACK.model_copy(update={"per_host": 1})
    begin = time.monotonic()
    gather(table(server, "/busy-once/a.jpg", "/ok/a.jpg"), images, options)
    assert time.monotonic() - begin >= 1.0
    assert set(statuses(images).values()) == {"ok"}
    first, *later = server.times
    assert all(at - first >= 0.95 for at in later)


def test_a_lost_picture_file_is_fetched_again(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg", "/ok/b.jpg"), images, LOOPBACK)
    lost = images / pl.read_parquet(images / PICTURES)["file"][0]
    lost.write_bytes(lost.read_bytes()[:-1])
    gather(None, images, LOOPBACK)
    assert server.requests == {"/ok/a.jpg": 2, "/ok/b.jpg": 1}


def test_names_of_items_and_files_from_data_go_nowhere(server: PictureServer, images: Path) -> None:
    rows = pl.DataFrame(
        {"item_id": ["../../x", "/etc/passwd"], "images": [server.base + "/ok/../../x.jpg"] * 2}
    )
    gather(rows, images, LOOPBACK)
    assert [path.name for path in images.parent.iterdir()] == ["images"]
    assert all(path.stem.isalnum() for path in (images / "pictures").rglob("*"))


def test_another_size_is_refused_before_the_folder_is_touched(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg"), images, LOOPBACK)
    with pytest.raises(InputError, match="images was made with `size` 32, not 64; use that"):
        gather(table(server, "/ok/a.jpg"), images, LOOPBACK.model_copy(update={"size": 64}))
    assert require_folder(images, STAGE)


def test_without_table_or_earlier_run_there_is_nothing_to_do(images: Path) -> None:
    with pytest.raises(InputError, match=r"has no sources\.parquet of an earlier run; give `table`"):
        gather(None, images, QUICK)


def test_two_runs_do_not_write_the_same_folder(server: PictureServer, images: Path) -> None:
    gather(table(server, "/ok/a.jpg"), images, LOOPBACK)
    with held_elsewhere(images), pytest.raises(FolderError, match="another process works in"):
        gather(table(server, "/ok/a.jpg"), images, LOOPBACK)
    assert require_folder(images, STAGE), "the second run has not touched the folder"
    gather(table(server, "/ok/a.jpg"), images, LOOPBACK)


def test_counts_are_returned_and_progress_is_heard(server: PictureServer, images: Path) -> None:
    heard = io.StringIO()
    sources = table(server, "/ok/a.jpg", "/missing/a.jpg", "/ok/b.jpg")
    counts = run(LOOPBACK, images, JsonLines(heard), sources=sources)
    assert counts.rows() == [("ok", None, 2), ("failed", "http-404", 1)]
    events = [json.loads(line) for line in heard.getvalue().splitlines()]
    assert events[0] == {"event": "begin", "task": "pictures", "total": 3}
    assert sum(event["event"] == "advance" for event in events) == 3
    assert {"failed": 1} in [event.get("facts") for event in events]
    assert events[-1] == {"event": "end", "task": "pictures"}


def test_a_disk_that_cannot_be_written_is_one_clear_error(
    server: PictureServer, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PictureStore, "_write", refuse)
    with pytest.raises(MachineError, match="no space is left there; make room"):
        run(LOOPBACK, images, sources=table(server, "/ok/a.jpg"))


def test_credentials_are_used_and_not_stored(server: PictureServer, images: Path) -> None:
    paths = ["/ok/a.jpg?token=geheim", "/busy-long/a.jpg?token=geheim", "/ok/b.jpg"]
    sources = table(server, *paths).with_columns(item_id=pl.Series(["a", "busy", "b"]))
    gather(sources, images, LOOPBACK)
    asked = dict.fromkeys(paths, 1)
    assert server.requests == asked
    for file in images.rglob("*"):
        assert file.is_dir() or b"geheim" not in file.read_bytes(), file
    gather(sources, images, LOOPBACK)  # only the temporary failure is visited again
    assert server.requests == asked | {paths[1]: 2}
    with pytest.raises(
        FolderError, match="2 addresses had credentials, which are not stored; give `table` again"
    ):
        gather(None, images, LOOPBACK)
