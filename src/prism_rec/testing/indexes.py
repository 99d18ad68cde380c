"""The contract of an index that finds the best items of a catalogue."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.data.histories import Histories
from prism_rec.events import Events
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.rank import BestItems, FindsItems, Ranker
from prism_rec.rank.seen import Seen
from prism_rec.testing.checks import ITEMS, SettingsContract, build_model

SOME = Histories.from_lists([[1, 2, 3], [4], [5, 6, 5, 7, 8, 9, 10, 11], [12, 11]])


class IndexContract(SettingsContract):
    """Tests of one kind: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the kind.
    """

    def test_lists_are_as_long_as_exact_ones_and_have_exact_scores(self) -> None:
        """With and without seen items, for any number of items, and if only some items are allowed."""
        ranker = Ranker(build_model(ExpertPrismConfig(hidden=4), SASRecConfig(layers=1), dtype=torch.float32))
        with TemporaryDirectory() as name:
            folder = Path(name)
            names = self.config.write(ranker, SOME, folder, Events())
            assert {path.name for path in folder.iterdir()} == set(names)
            finder = self.config.load(ranker, folder)
            for k in (1, 5, ITEMS):
                for allowed in (None, np.array([1, 3, 5, 7]), np.zeros(0, np.int64)):
                    _compare(finder, ranker, k, "remove", allowed)
                    _compare(finder, ranker, k, "keep", allowed)


def _compare(finder: FindsItems, ranker: Ranker, k: int, seen: Seen, allowed: np.ndarray | None) -> None:
    found, exact = (_joined(one.best_items(SOME, k, seen, allowed)) for one in (finder, ranker))
    assert np.array_equal((found.rows > 0).sum(1), (exact.rows > 0).sum(1))
    every = _joined(ranker.best_items(SOME, ITEMS, seen, allowed))
    for place, (rows, scores) in enumerate(zip(found.rows, found.scores, strict=True)):
        known = dict(zip(every.rows[place].tolist(), every.scores[place].tolist(), strict=True))
        listed = rows[rows > 0]
        assert len(set(listed.tolist())) == len(listed)
        np.testing.assert_allclose(scores[rows > 0], [known[row] for row in listed.tolist()], atol=1e-4)
        assert (np.diff(scores[rows > 0]) <= 0).all()


def _joined(parts: Iterable[BestItems]) -> BestItems:
    """Return all users together, in the order of the questions."""
    found = list(parts)
    width = max(part.rows.shape[1] for part in found)
    rows = [np.pad(part.rows, ((0, 0), (0, width - part.rows.shape[1]))) for part in found]
    scores = [
        np.pad(part.scores, ((0, 0), (0, width - part.scores.shape[1])), constant_values=-np.inf)
        for part in found
    ]
    questions = np.concatenate([part.questions for part in found])
    assert questions.tolist() == list(range(len(SOME)))
    return BestItems(questions, None, np.concatenate(scores), np.concatenate(rows))
