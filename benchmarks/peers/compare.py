"""Train and rank the same SASRec with this library, RecTools and RecBole; see README.md."""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from prism_rec import Dataset

HERE = Path(__file__).parent
ENVIRONMENTS = Path("build/peers")
PACKAGES = {
    "rectools": ["torch==2.13.0", "rectools[torch]==0.19.0"],
    "recbole": [
        "torch==2.13.0",
        "recbole==1.2.1",
        "setuptools<81",
        "numpy<2",
        "pandas<2.2",
        "scipy<1.12",
    ],
}


def python_of(library: str) -> Path:
    """Return the interpreter with which a library runs; its environment is made if it is not there."""
    if library not in PACKAGES:
        return Path(sys.executable)
    folder = ENVIRONMENTS / library
    ready = folder / "ready"  # written last
    if not ready.exists():
        print(f"making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        install = [folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES[library]]
        subprocess.run(install, check=True)
        ready.touch()
    return folder / "bin/python"


def write_questions(dataset: Dataset, path: Path) -> None:
    """Write the training histories and the test questions, all that the libraries read."""
    training, test = dataset.training(), dataset.queries("test")
    np.savez(
        path,
        items=training.items,
        offsets=training.offsets,
        asked_items=test.histories.items,
        asked_offsets=test.histories.offsets,
        targets=test.targets,
        number_of_items=dataset.number_of_items,
    )


def measure(library: str, questions: Path, settings: dict[str, object]) -> dict[str, float]:
    """Measure one library in a process of its own."""
    command = [python_of(library), HERE / f"measure_{library}.py", questions, json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{library} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="dataset folder that prepare wrote")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--loss", choices=["softmax", "bce"], default="softmax")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--rounds", type=int, default=3, help="of all libraries in turn; the best of each counts"
    )
    parser.add_argument("--only", choices=["prism_rec", *PACKAGES], nargs="*")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    libraries = arguments.only or ["prism_rec", *PACKAGES]
    settings = {
        "width": arguments.width,
        "loss": arguments.loss,
        "batch_size": arguments.batch_size,
        "threads": arguments.threads,
        "layers": 2,
        "heads": 1,
        "max_length": 50,
        "dropout": 0.5,
    }
    results: dict[str, list[dict[str, float]]] = {library: [] for library in libraries}
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.npz"
        write_questions(Dataset.load(arguments.data), questions)
        for _ in range(arguments.rounds):
            for library in libraries:
                results[library].append(measure(library, questions, settings))
    best = {library: _best(measured) for library, measured in results.items()}
    if arguments.json:
        print(json.dumps({"settings": settings, "best": best, "all": results}))
        return
    print(
        f"{'':12}{'trained/s':>12}{'ranked/s':>12}{'peak MB':>10}   users per second, best of {arguments.rounds}"
    )
    for library, figures in best.items():
        print(
            f"{library:12}{figures['trained']:12,.0f}{figures['ranked']:12,.0f}{figures['memory_mb']:10,.0f}"
        )


def _best(measured: list[dict[str, float]]) -> dict[str, float]:
    """Return the highest speeds and the lowest peak."""
    return {
        "trained": max(figures["trained"] for figures in measured),
        "ranked": max(figures["ranked"] for figures in measured),
        "memory_mb": min(figures["memory_mb"] for figures in measured),
    }


if __name__ == "__main__":
    main()
