"""The server of the page."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from prism_rec.events import Events
from prism_rec.explore.look import Look, require_same_items
from prism_rec.explore.page import main_page
from prism_rec.explore.question import Question
from prism_rec.explore.settings import Explore
from prism_rec.explore.tiles import Tiles
from prism_rec.explore.weights import weights_page
from prism_rec.features.contents import pictures_of
from prism_rec.markup import render
from prism_rec.recommend.recommender import load
from prism_rec.serve.listening import LOOPBACK, listen

LATEST = 30
"""Number of a user's latest items that are shown."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'"


def make_app(looks: Sequence[Look], pictures: dict[str, Path], hosts: Sequence[str] = ("*",)) -> FastAPI:
    """Return the application.

    Args:
        looks: one or two runs.
        pictures: files by item id.
        hosts: names by which the server may be asked.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    tiles = Tiles(pictures)

    @app.get("/")
    def page(request: Request) -> Response:
        question = read(request, looks[0])
        return _html(main_page(looks, question, [look.shown(question) for look in looks], tiles))

    @app.get("/weights")
    def weights(request: Request) -> Response:
        return _html(weights_page(looks, read(request, looks[0])))

    @app.get("/picture")
    async def picture(item: str) -> Response:
        if item not in pictures:
            return Response("no picture", 404)
        return await run_in_threadpool(FileResponse, pictures[item])

    return app


def read(request: Request, look: Look) -> Question:
    """Return the question of an address; a user without items gets the latest items of the user's history."""
    question = Question.read(request.query_params)
    if question.user == "*" and len(look.users):
        question = replace(question, user=random.choice(look.users.to_list()))
    if question.user in look.users and not question.items:
        history = dict.fromkeys(look.recommender.history_of(question.user))
        question = replace(question, items=tuple(history)[-LATEST:])
    return question


def explore(run: Path, settings: Explore, events: Events = Events()) -> None:
    """Show the page of a run until the process is stopped.

    Args:
        run: a finished run.
        settings: what else is shown, and where.
        events: hears the address.

    Raises:
        InputError: a run is not finished, two runs have no common item, there are no pictures, or the address cannot
            be used.
    """
    import uvicorn

    looks = [
        Look(folder.name, load(folder), settings.k) for folder in (run, settings.other) if folder is not None
    ]
    if len(looks) == 2:
        if looks[0].name == looks[1].name:
            looks[0].name, looks[1].name = str(run), str(settings.other)
        require_same_items(looks[0], looks[1])
    pictures = {} if settings.pictures is None else find_pictures(settings.pictures)
    hosts = [*LOOPBACK, "[::1]"] if settings.host in LOOPBACK else ["*"]
    with listen(settings.host, settings.port) as (listener, address):
        events.note(f"look at {address} (stop with Ctrl-C)")
        config: Any = uvicorn.Config(make_app(looks, pictures, hosts), access_log=False, log_level="warning")
        uvicorn.Server(config).run([listener])


def find_pictures(folder: Path) -> dict[str, Path]:
    """Return the picture files of a folder by item id."""
    entries = pictures_of(folder).entries
    return {entry.item_id: Path(entry.value) for entry in entries if entry.value is not None}


def _html(page: Any) -> HTMLResponse:
    return HTMLResponse(
        render(page), headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    )
