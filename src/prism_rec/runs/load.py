"""Loading whatever was trained: a run, or an ensemble of runs."""

from pathlib import Path

from prism_rec.records import MANIFEST, read_record
from prism_rec.runs.ensemble import STAGE, Ensemble
from prism_rec.runs.run import Run


def load_run(folder: Path | str, device: str = "auto", mapped: bool = False) -> Run | Ensemble:
    """Load a finished run or an ensemble; see `Run.load`."""
    record = read_record(Path(folder)) if (Path(folder) / MANIFEST).exists() else None
    kind = Ensemble if record is not None and record.get("stage") == STAGE else Run
    return kind.load(folder, device, mapped)
