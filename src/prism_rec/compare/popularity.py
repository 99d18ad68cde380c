"""The row of a comparison that nothing was trained for: items by how often they occur in training."""

import time
from pathlib import Path

from prism_rec.compare.recipe import POPULARITY
from prism_rec.compare.result import RANKS, CellResult
from prism_rec.data.dataset import Dataset
from prism_rec.evaluate.questions import answer
from prism_rec.evaluate.report import report
from prism_rec.folders import hash_file
from prism_rec.rank import PopularityRanker
from prism_rec.version import VERSION


def rank_by_popularity(data: str, dataset: Dataset, folder: Path) -> CellResult:
    """Rank the test targets, and leave ranks and result behind as a cell does.

    It takes no longer than reading them again would, and no seed: it is done anew whenever the tables are made. Call
    it with the comparison's folder `locked`.

    Args:
        data: the dataset's name.
        dataset: what is ranked.
        folder: to write to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    ranker = PopularityRanker(dataset.training(), dataset.number_of_items)
    counted = time.perf_counter()
    questions = dataset.queries("test")
    evaluation = answer(ranker, questions)
    evaluation.save(folder / RANKS)
    result = CellResult(
        version=VERSION,
        data=data,
        model=POPULARITY,
        seed=0,
        config={},
        loss="none",
        negatives=None,
        device="cpu",
        threads=1,
        parameters=0,
        peak_memory_mb=0,
        training_seconds=round(counted - began, 3),
        testing_seconds=round(time.perf_counter() - counted, 3),
        best_epoch=0,
        stopped_by=None,
        epochs=(),
        test=report(dataset, "test", evaluation),
        gate=None,
        ranks_sha256=hash_file(folder / RANKS),
    )
    result.save(folder)
    return result
