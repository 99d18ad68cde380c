"""Makes runs and exports them: `python exports.py FOLDER FORMAT NAME=MODEL...`; prints what each export found.

A process of its own, because torch cannot trace functions whose annotations are checked, as they are in tests.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def export_all(folder: Path, kind: str, models: dict[str, Any], users: bool = False) -> dict[str, Any]:
    """Train each model, export it, and return what the checks found, or the message of an error."""
    script = [
        sys.executable,
        "-W",
        "ignore",
        __file__,
        str(folder),
        kind,
        json.dumps(users),
        json.dumps(models),
    ]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(folder: Path, kind: str, users: bool, models: dict[str, Any]) -> None:
    sys.path += [str(ROOT / "tests"), str(ROOT / "src")]
    from prism_rec import Export, InputError, export
    from recommend.test_recommender import make_run

    found: dict[str, Any] = {}
    for name, model in models.items():
        if not (folder / name).exists():
            make_run(folder / name, **model)
        settings = Export.parse({"run": folder / name, "format": kind, "users": users})
        try:
            found[name] = export(settings, folder / f"{name}-{kind}").model_dump()
        except InputError as error:
            found[name] = str(error)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4]))
