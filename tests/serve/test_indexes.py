"""What finds the best items: the contract, candidates of a few lists, and the measured recall."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.backbones.stosa import StosaConfig
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.fusion.baselines import IdFusionConfig, SumFusionConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.rank import EnsembleRanker, Ranker
from prism_rec.rank import index as index_module
from prism_rec.rank.index import CatalogueIndex, Lists
from prism_rec.serve import indexes as indexes_module
from prism_rec.serve.indexes import Approximate, Exact
from prism_rec.testing import IndexContract
from prism_rec.testing.checks import ITEMS, build_model

HISTORIES = Histories.from_lists([[1, 2, 3], [4], [5, 6, 5, 7, 8, 9, 10, 11, 12, 1], [3, 3, 2], [12, 11]])


class TestExact(IndexContract):
    config = Exact()


class TestApproximate(IndexContract):
    config = Approximate()


class TestApproximateOfFewItems(IndexContract):
    config = Approximate(least_recall=0.1)

    @pytest.fixture(autouse=True)
    def _many_lists(self, many_lists: None) -> None:
        """Let even these few items be in several lists."""


@pytest.fixture
def many_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make more than one list, give a request no spare candidates, and read one list at first."""
    monkeypatch.setattr(index_module, "POINTS", 1)
    monkeypatch.setattr(index_module, "SPARE", 0)
    monkeypatch.setattr(indexes_module, "FIRST_PROBES", 1)


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def make_index(ranker: Ranker | EnsembleRanker, probes: int) -> CatalogueIndex:
    lists = [[Lists.of(group) for group in one.groups] for _, one in ranker.members]
    return CatalogueIndex(ranker, lists, probes)


@pytest.mark.parametrize(
    ("fusion", "backbone"),
    [
        (IdFusionConfig(), SASRecConfig(layers=1)),
        (SumFusionConfig(), GRU4RecConfig()),
        (ExpertPrismConfig(hidden=4), SASRecConfig(layers=1)),
        (ExpertPrismConfig(hidden=4), StosaConfig(heads=2)),
    ],
    ids=["id", "sum", "prism", "stosa"],
)
@pytest.mark.parametrize("seen", ["remove", "keep"])
def test_with_all_lists_it_finds_the_exact_items(many_lists, fusion, backbone, seen):
    ranker = Ranker(build_model(fusion, backbone, dtype=torch.float32))
    index = make_index(ranker, ITEMS)
    assert index.most_lists > 1 or len(ranker.groups) > 1  # few items each
    for k in (1, 4, ITEMS):
        (found,), (exact,) = (list(one.best_items(HISTORIES, k, seen)) for one in (index, ranker))
        assert found.rows.tolist() == exact.rows.tolist()
        np.testing.assert_allclose(found.scores, exact.scores, atol=1e-4)


def test_several_models_give_candidates_together(many_lists):
    members = [
        (
            factor,
            Ranker(build_model(SumFusionConfig(), SASRecConfig(layers=1), dtype=torch.float32, seed=seed)),
        )
        for seed, factor in enumerate((0.3, 0.7))
    ]
    ranker = EnsembleRanker(members)
    index = make_index(ranker, ITEMS)
    (found,), (exact,) = (list(one.best_items(HISTORIES, ITEMS, "keep")) for one in (index, ranker))
    assert found.rows.tolist() == exact.rows.tolist()


def test_as_many_lists_are_read_as_the_recall_needs(many_lists, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(indexes_module, "K", 1)
    ranker = Ranker(build_model(SumFusionConfig(), SASRecConfig(layers=1), dtype=torch.float32), seen="keep")
    notes = Notes()
    probes = []
    for least in (0.05, 1.0):
        folder = tmp_path / str(least)
        folder.mkdir()
        settings = Approximate(least_recall=least)
        names = settings.write(ranker, HISTORIES, folder, notes)
        assert sorted(names) == sorted(path.name for path in folder.iterdir())
        probes.append(settings.load(ranker, folder).probes)
    assert probes[0] < probes[1]
    assert "index: recall@1 1.000 for 5 users" in notes.lines[-2]
    assert "hardly faster" in notes.lines[-1]
    Approximate().write(ranker, Histories.from_lists([]), tmp_path, notes)
    assert "for 12 histories of one item" in notes.lines[-2]


def test_an_index_that_is_too_poor_is_refused(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(index_module, "recall", lambda *_: 0.9)
    ranker = Ranker(build_model(SumFusionConfig(), SASRecConfig(layers=1), dtype=torch.float32))
    with pytest.raises(InputError, match=r"finds 0\.900 of the best 10 items even if it reads all lists"):
        Approximate().write(ranker, HISTORIES, tmp_path, Events())
    assert not list(tmp_path.iterdir())


def test_without_the_library_there_is_no_index(monkeypatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "faiss", None)
    ranker = Ranker(build_model(SumFusionConfig(), SASRecConfig(layers=1), dtype=torch.float32))
    with pytest.raises(InputError, match=r"prism-rec\[ann\]"):
        Approximate().write(ranker, HISTORIES, tmp_path, Events())
