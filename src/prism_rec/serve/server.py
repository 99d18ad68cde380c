"""`serve`: bundles of a run, processes that answer from them, and a watch on the run."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from prism_rec.errors import FolderError, InputError
from prism_rec.events import Events
from prism_rec.recommend.recommender import load
from prism_rec.serve.bundles import Bundles, fingerprint
from prism_rec.serve.indexes import Exact
from prism_rec.serve.listening import LOOPBACK, listen
from prism_rec.serve.settings import METRICS, PATIENCE, SETTINGS, TOKEN, Serve, Worker


def serve(run: Path, settings: Serve, events: Events = Events()) -> None:
    """Serve a run until the process is stopped.

    The run is looked at again and again. If another finished run is in its place (trained again, or another target of
    a symbolic link), a new bundle is made, and all workers take it without a pause.

    Args:
        run: a finished run, or a folder that `Recommender.save` wrote.
        settings: how.
        events: hears where the server listens, and of new versions.

    Raises:
        InputError: the run is not finished, the address cannot be used, or the token file is empty.
    """
    with (
        TemporaryDirectory(prefix="prism-rec-") as temporary,
        listen(settings.host, settings.port) as (listener, address),
    ):
        folder = Path(temporary) / "bundles" if settings.bundle is None else settings.bundle
        bundles, stop = Bundles(folder, settings.index, events), threading.Event()
        token = _token(settings)
        publish_if_new(bundles, run, settings.users)
        if settings.host not in LOOPBACK and token is None:
            events.note("note: anybody who can reach this address can ask; set a token with `token_file`")
        worker = Worker.parse(
            {name: getattr(settings, name) for name in Worker.model_fields if name != "bundles"}
            | {"bundles": folder},
            "",
        )
        _tell_workers(worker, token)
        if settings.workers > 1:
            os.environ[METRICS] = temporary
        events.note(f"serving {run} at {address}, API at /openapi.json")
        watch = threading.Thread(target=_watch, args=(bundles, run, settings, events, stop), daemon=True)
        watch.start()
        signal.signal(signal.SIGTERM, _leave)
        try:
            _answer(settings, listener, events)
        finally:
            stop.set()


def _answer(settings: Serve, listener: socket.socket, events: Events) -> None:
    """Answer requests at a socket until the process is stopped."""
    import uvicorn

    from prism_rec.serve.workers import HANGS, Workers

    config = uvicorn.Config(
        "prism_rec.serve.worker:make",
        factory=True,
        http="prism_rec.serve.worker:Impatient",
        ws="none",
        workers=settings.workers,
        access_log=False,
        server_header=False,
        log_level="error",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(settings.max_seconds) + 1,
        timeout_worker_healthcheck=HANGS,
    )
    if settings.workers > 1:
        Workers(config, listener, events).run()
    else:
        uvicorn.Server(config).run([listener])


def publish_if_new(bundles: Bundles, run: Path, histories: bool) -> int | None:
    """Publish a run unless it is the one that is served.

    Returns:
        The version; None if the run was served already.

    Raises:
        FolderError: the run is not finished, or damaged.
    """
    source, current = fingerprint(run), bundles.current()
    if source is None:
        why = "is not a finished run; train it first" if run.exists() else "does not exist; check the path"
        raise FolderError(f"{run} {why}")
    source += " users" if histories else ""
    source += "" if bundles.index == Exact() else f" {bundles.index.model_dump_json()}"
    if current is not None and current.source == source:
        return None
    return bundles.publish(load(run, "cpu"), source, histories)


def _watch(bundles: Bundles, run: Path, settings: Serve, events: Events, stop: threading.Event) -> None:
    failed: str | None = ""
    while not stop.wait(settings.check_seconds):
        source = fingerprint(run)
        if source == failed:
            continue
        if source is None:
            failed = None
            events.note(f"{run} is not a finished run now; the old version stays")
            continue
        try:
            version = publish_if_new(bundles, run, settings.users)
        except (InputError, OSError) as error:
            failed = source
            events.note(f"the run has changed and cannot be served; the old version stays: {error}")
        else:
            failed = ""
            if version is not None:
                events.note(f"the run has changed: version {version}")


def _tell_workers(worker: Worker, token: str | None) -> None:
    """Set the environment that processes are started with."""
    os.environ[SETTINGS] = worker.model_dump_json()
    os.environ[PATIENCE] = str(worker.max_seconds)
    if token is not None:
        os.environ[TOKEN] = token


def _token(settings: Serve) -> str | None:
    if settings.token_file is None:
        return os.environ.get(TOKEN) or None
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise InputError(f"{settings.token_file} cannot be read; name a file with one line") from None
    if not token or not token.isascii() or len(token.split()) > 1:
        raise InputError(f"{settings.token_file} has no token; write one line of ASCII letters and digits")
    return token


def _leave(*_: object) -> None:
    sys.exit(0)
