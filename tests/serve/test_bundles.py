"""Bundles: no interactions, tables that processes share, versions that replace each other."""

import os
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from fastapi.testclient import TestClient

from prism_rec import load
from prism_rec.errors import DamagedError, FolderError
from prism_rec.rank.index import CatalogueIndex
from prism_rec.serve.app import make_app
from prism_rec.serve.bundles import CURRENT, KEPT, Bundles, fingerprint
from prism_rec.serve.indexes import Approximate
from prism_rec.serve.server import publish_if_new
from prism_rec.serve.settings import Service
from recommend.test_recommender import item_ids, make_run

QUESTION = {"histories": [["item-01", "item-02"], ["item-07"]], "k": 5}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "prism"
    make_run(folder)
    return folder


def test_a_bundle_answers_like_the_run_and_has_no_interactions(run: Path, tmp_path: Path) -> None:
    recommender, bundles = load(run, "cpu"), Bundles(tmp_path / "bundles")
    assert bundles.publish(recommender, "source", histories=False) == 1
    served = bundles.load()
    assert served.recommender.recommend(**QUESTION).equals(recommender.recommend(**QUESTION))
    explained = served.recommender.explain(item_ids()[:3], "item-05")
    assert explained == recommender.explain(item_ids()[:3], "item-05")
    for file in (tmp_path / "bundles").rglob("*.parquet"):
        if file.stem != "items":
            assert pl.read_parquet(file).is_empty(), file
    text = b"".join(file.read_bytes() for file in (tmp_path / "bundles").rglob("*") if file.is_file())
    assert b"u13" not in text


@pytest.mark.parametrize(
    "model",
    [
        {"fusion": {"kind": "id"}},
        {"fusion": {"kind": "sum"}, "backbone": {"kind": "gru4rec"}},
        {"backbone": {"kind": "stosa"}, "objective": None},
    ],
    ids=["id", "sum", "stosa"],
)
def test_every_kind_of_table_is_mapped(tmp_path: Path, model: dict[str, object]) -> None:
    model = {name: value for name, value in model.items() if value is not None}
    recommender = make_run(tmp_path / "run", **model)
    bundles = Bundles(tmp_path / "bundles")
    bundles.publish(recommender, "source", histories=False)
    assert bundles.load().recommender.recommend(**QUESTION).equals(recommender.recommend(**QUESTION))


def is_in(mapped: str, name: str, address: int) -> bool:
    """Return whether an address is in the memory of a file, by the list of what is mapped."""
    ranges = [line.split()[0].split("-") for line in mapped.splitlines() if line.endswith(name)]
    return any(int(first, 16) <= address < int(end, 16) for first, end in ranges)


def test_tables_and_weights_are_in_the_memory_of_their_files(run: Path, tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not list what is mapped")
    bundles = Bundles(tmp_path / "bundles")
    bundles.publish(load(run, "cpu"), "source", histories=False)
    served = bundles.load()
    mapped = maps.read_text()
    for name in ("tables-1.safetensors", "best.safetensors", "image.npy"):
        assert f"{tmp_path}/bundles/1" in mapped
        assert name in mapped
    ranker = served.recommender.ranker
    assert is_in(mapped, "tables-1.safetensors", ranker.items.ids_IV.data_ptr())
    assert is_in(mapped, "best.safetensors", ranker.model.items.ids.weight.data_ptr())
    with torch.no_grad():  # what one process changes stays its own
        ranker.items.parts.components_IJD.zero_()
    again = bundles.load().recommender.ranker.items.parts.components_IJD
    assert np.any(again.numpy())


def test_a_run_is_published_once_and_again_if_it_changes(run: Path, tmp_path: Path) -> None:
    bundles, link = Bundles(tmp_path / "bundles"), tmp_path / "current"
    link.symlink_to(run)
    assert publish_if_new(bundles, link, histories=False) == 1
    assert publish_if_new(Bundles(tmp_path / "bundles"), link, histories=False) is None
    make_run(tmp_path / "other", width=4)
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert publish_if_new(bundles, link, histories=False) == 2
    assert bundles.load().recommender.run.config.model.width == 4
    for _ in range(KEPT):
        bundles.change(lambda recommender: None, histories=False)
    assert not (tmp_path / "bundles" / "1").exists()
    assert fingerprint(tmp_path / "nothing") is None


@pytest.mark.slow
def test_no_request_fails_while_versions_are_replaced(run: Path, tmp_path: Path) -> None:
    bundles, stop = Bundles(tmp_path / "bundles"), threading.Event()
    recommender = load(run, "cpu")
    bundles.publish(recommender, "source", histories=False)
    answers: list[tuple[int, int]] = []

    with TestClient(make_app(bundles, Service(check_seconds=0.02))) as client:

        def ask() -> None:
            while not stop.is_set():
                answer = client.post("/recommend", json=QUESTION)
                answers.append((answer.status_code, answer.json()["version"]))

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for number in range(5):
            bundles.publish(recommender, f"source {number}", histories=False)
            served = client.app.state.server
            for _ in range(500):
                if served.served.version == number + 2:
                    break
                threading.Event().wait(0.01)
        stop.set()
        for asker in askers:
            asker.join()
        assert client.get("/health").json()["version"] == 6
    assert {status for status, _ in answers} == {200}
    assert len({version for _, version in answers}) > 1


def test_a_version_that_cannot_be_loaded_leaves_the_old_one(run: Path, tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "bundles")
    bundles.publish(load(run, "cpu"), "source", histories=False)
    with TestClient(make_app(bundles, Service())) as client:
        bundles.publish(load(run, "cpu"), "other", histories=False)
        file = tmp_path / "bundles" / "2" / "tables-1.safetensors"
        file.write_bytes(file.read_bytes()[:-50])
        client.portal.call(client.app.state.server.renew)
        assert client.get("/health").json()["version"] == 1
        assert client.post("/recommend", json=QUESTION).status_code == 200


def test_files_of_others_among_the_versions_stay(run: Path, tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "bundles")
    recommender = load(run, "cpu")
    bundles.publish(recommender, "source", histories=False)
    mine = bundles.path / "1" / "mine.txt"
    mine.write_text("mine")
    for number in range(KEPT):
        bundles.publish(recommender, f"source {number}", histories=False)
    assert [file.name for file in (bundles.path / "1").iterdir()] == ["mine.txt"]
    assert mine.read_text() == "mine"
    notes = bundles.path / str(KEPT + 2) / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    with pytest.raises(FolderError):
        bundles.publish(recommender, "next", histories=False)
    assert notes.read_text() == "mine"


def test_tables_that_were_changed_are_not_served(run: Path, tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "bundles")
    bundles.publish(load(run, "cpu"), "source", histories=False)
    file = bundles.path / "1" / "tables-1.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match="was changed"):
        bundles.load()


@pytest.mark.slow
def test_a_version_that_was_killed_at_any_file_is_made_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first version and a later one; each of the files that it writes is the last one that is begun."""
    recommender, written = load(run, "cpu"), []
    real, stop = os.replace, len(written)

    def replace(source: Path, target: Path) -> None:
        written.append(target)
        if len(written) == stop:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    Bundles(tmp_path / "whole").publish(recommender, "source", histories=True)
    files = len(written)
    assert files > 12
    for stop in range(1, files + 1):
        folder = tmp_path / str(stop)
        for version in (1, 2):
            written.clear()
            with pytest.raises(KeyboardInterrupt):
                Bundles(folder).publish(recommender, "source", histories=True)
            written = [None] * files  # no further end
            assert Bundles(folder).publish(recommender, "source", histories=True) == version
            assert Bundles(folder).load().recommender.recommend(**QUESTION).height


def test_other_folders_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FolderError, match="is not a folder of bundles"):
        Bundles(tmp_path)
    with pytest.raises(FolderError, match="has no bundle yet"):
        Bundles(tmp_path / "new").load()
    with pytest.raises(FolderError, match="nothing does not exist"):
        publish_if_new(Bundles(tmp_path / "new"), tmp_path / "nothing", histories=False)
    (tmp_path / "new" / CURRENT).write_text("{")
    with pytest.raises(DamagedError, match="is damaged"):
        Bundles(tmp_path / "new").current()


def test_an_index_is_written_with_the_bundle_and_made_again_if_it_is_another_one(
    run: Path, tmp_path: Path
) -> None:
    recommender, bundles = load(run, "cpu"), Bundles(tmp_path / "bundles", Approximate(least_recall=1.0))
    assert publish_if_new(bundles, run, histories=False) == 1
    served = bundles.load().recommender
    assert isinstance(served.index, CatalogueIndex)
    found, exact = (one.recommend(**QUESTION) for one in (served, recommender))
    assert found["item_id"].equals(exact["item_id"])
    np.testing.assert_allclose(found["score"], exact["score"], atol=1e-4)
    assert publish_if_new(bundles, run, histories=False) is None
    assert publish_if_new(Bundles(tmp_path / "bundles"), run, histories=False) == 2
    file = tmp_path / "bundles" / "1" / "index-1-1.faiss"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match="was changed"):
        bundles._load(1)
