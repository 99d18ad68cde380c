"""Real posters, from a web server on loopback to vectors, by the commands that a user has."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import prism_rec
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.files import hash_file

POSTERS = Path(__file__).parents[3] / "shared/data/movielens-latest-small/posters"
NUMBER = 60

pytestmark = pytest.mark.skipif(not POSTERS.is_dir(), reason="the posters of ../shared are not here")


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve the posters; return a table of addresses, in which one film has none and one a wrong one."""
    monkeypatch.setattr(Handler, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(POSTERS)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    films = sorted(path.stem for path in POSTERS.glob("*.jpg"))[:NUMBER]
    urls = [f"{base}/{film}.jpg" for film in films]
    path = tmp_path / "films.csv"
    pl.DataFrame({"item_id": [*films, "none", "lost"], "images": [*urls, "", f"{base}/lost.jpg"]}).write_csv(
        path
    )
    yield path
    server.shutdown()
    server.server_close()


def run(*words: object) -> list[str]:
    ran = prism_rec(*words)
    assert ran.status == 0, ran.err
    return ran.out.splitlines()


@pytest.mark.slow
def test_posters_are_downloaded_and_embedded_by_the_commands(
    table: Path, tmp_path: Path, tiny_clip: Path
) -> None:
    images = ("images", "--table", table, "--out", tmp_path / "images", "--allow-private")
    rows = {tuple(line.split()) for line in run(*images)}
    assert {("ok", str(NUMBER)), ("failed", "http-404", "1"), ("none", "no-source", "1")} <= rows
    pictures = pl.read_parquet(tmp_path / "images/pictures.parquet").head(NUMBER)
    assert pictures["sha256"].to_list() == [
        hash_file(POSTERS / f"{film}.jpg") for film in pictures["item_id"]
    ]
    assert pictures["width"].unique().to_list() == [92]

    for encoder, width in ((str(tiny_clip), 8), ("picture-descriptors", 936)):
        out = tmp_path / f"vectors-{width}"
        embed = (
            "embed",
            "--pictures",
            tmp_path / "images",
            "--encoder",
            encoder,
            "--workers",
            0,
            "--out",
            out,
        )
        told = run(*embed)
        assert f"{NUMBER} of {NUMBER + 2} items have a vector of {width} numbers" in told
        assert "absent, no picture (http-404): 1" in told
        vectors, ids = load_embedding(out)
        assert ids == pictures["item_id"].to_list()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert len(np.unique(vectors, axis=0)) == NUMBER
        assert f"encoded now: 0; encoded before: {NUMBER}" in run(*embed)

    asked = len(Handler.asked)
    run(*images)
    assert len(Handler.asked) == asked == NUMBER + 1


@pytest.mark.slow
def test_a_stored_poster_has_nearly_the_vector_of_the_file_itself(table: Path, tmp_path: Path) -> None:
    run("images", "--table", table, "--out", tmp_path / "images", "--allow-private")
    (tmp_path / "posters").mkdir()
    for film in pl.read_csv(table, infer_schema=False)["item_id"].head(NUMBER):
        (tmp_path / "posters" / f"{film}.jpg").symlink_to(POSTERS / f"{film}.jpg")
    for folder in ("images", "posters"):
        words = ("--encoder", "picture-descriptors", "--workers", 0, "--out", tmp_path / "vectors" / folder)
        run("embed", "--pictures", tmp_path / folder, *words)
    (stored, ids), (as_given, given_ids) = (
        load_embedding(tmp_path / "vectors" / folder) for folder in ("images", "posters")
    )
    likeness = stored @ as_given[[given_ids.index(film) for film in ids]].T
    assert likeness.diagonal().min() > 0.98
    assert (likeness.argmax(axis=1) == np.arange(NUMBER)).all()
