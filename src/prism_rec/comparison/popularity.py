"""The row of a comparison without training: items ranked by how often they occur in the training data."""

import time
from pathlib import Path

from prism_rec.comparison.recipe import POPULARITY
from prism_rec.comparison.result import CellResult
from prism_rec.data.dataset import Dataset
from prism_rec.evaluation.questions import answer
from prism_rec.evaluation.report import report
from prism_rec.files import hash_file
from prism_rec.folders import begin_folder, finish_folder
from prism_rec.rank import PopularityRanker, Seen
from prism_rec.runs.folder import RunFolder
from prism_rec.version import VERSION


def rank_by_popularity(data: str, dataset: Dataset, folder: Path, seen: Seen) -> CellResult:
    """Rank the test targets, and write ranks and result as a cell does.

    This takes no longer than reading them, and needs no seed: it is done again whenever the tables are made. Call it
    with the comparison's folder `locked`.

    Args:
        data: name of the dataset.
        dataset: the dataset.
        folder: where ranks and result are written.
        seen: whether items of a history are candidates.
    """
    files = RunFolder(folder)
    begin_folder(folder, POPULARITY, [files.ranks.name, files.result.name])
    began = time.perf_counter()
    ranker = PopularityRanker(dataset.training(), dataset.number_of_items, seen)
    counted = time.perf_counter()
    questions = dataset.queries("test")
    evaluation = answer(ranker, questions)
    evaluation.save(files.ranks)
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
        test=report(dataset, "test", evaluation, seen),
        gate=None,
        ranks_sha256=hash_file(files.ranks),
    )
    result.save(files)
    finish_folder(folder, POPULARITY, {}, [files.ranks.name, files.result.name])
    return result
