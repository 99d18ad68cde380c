"""`prism-rec serve`: recommendations over HTTP."""

from contextlib import suppress
from pathlib import Path

from prism_rec.cli.command import only
from prism_rec.errors import InputError
from prism_rec.serve.settings import Serve


class ServeOptions(Serve):
    """Answer requests for recommendations and explanations over HTTP.

    The server reads a bundle: weights, tables of items and ids, and no interactions (but see --users). If RUN is
    trained again, or is a link that gets another target, the new model is served without a pause.

    For instance:

        prism-rec serve runs/shop --port 8000 --workers 2

        curl -s 127.0.0.1:8000/recommend -H 'Content-Type: application/json' \\
          -d '{"histories": [["1", "34"]], "k": 5}'
    """

    run: Path
    """Folder of a finished run."""
    quiet: bool = False
    """Show no progress and no notes."""


def serve(options: ServeOptions) -> None:
    """Serve until the process is stopped."""
    from prism_rec.cli.bars import shown

    require_serve()
    from prism_rec.serve.server import serve as run

    with suppress(KeyboardInterrupt), shown(options.quiet) as events:
        run(options.run, only(options, Serve), events)


def require_serve() -> None:
    """Refuse to go on without the libraries of the extra `serve`.

    Raises:
        InputError: one is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in ("fastapi", "uvicorn", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; run pip install 'prism-rec[serve]'")
