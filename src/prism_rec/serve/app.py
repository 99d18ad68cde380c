"""The application: routes and their answers."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import polars as pl
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.explain.explanation import Explanation
from prism_rec.recommend.new_items import without_vectors
from prism_rec.recommend.recommender import Recommender
from prism_rec.serve.batching import Batches, Busy
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.guard import Guard
from prism_rec.serve.messages import (
    ExplainRequest,
    Health,
    ItemsAnswer,
    ItemsRequest,
    Problem,
    RecommendAnswer,
    RecommendRequest,
    SimilarAnswer,
    SimilarRequest,
)
from prism_rec.serve.metrics import Metrics
from prism_rec.serve.problems import say_problem
from prism_rec.serve.settings import Service
from prism_rec.version import VERSION

REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}


class Server:
    """A worker: the version that it serves, and the one thread in which models work.

    Args:
        bundles: with a version.
        service: what is served and how.
        events: hears of new versions, and of those that cannot be loaded.
    """

    def __init__(self, bundles: Bundles, service: Service, events: Events) -> None:
        self.bundles = bundles
        self.service = service
        self.events = events
        self.metrics = Metrics()
        self.served = bundles.load()
        self.metrics.version.set(self.served.version)
        self.models = ThreadPoolExecutor(1, "model")
        self.batches = Batches(
            lambda: self.served, self.models, service.max_waiting, self.metrics.together.observe
        )

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Answer requests and follow new versions as long as the application runs."""
        tasks = [asyncio.create_task(self.batches.work()), asyncio.create_task(self._follow())]
        yield
        for task in tasks:
            task.cancel()
        self.models.shutdown()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.service.check_seconds)
            await self.renew()

    async def renew(self) -> None:
        """Serve the current version if it is another one; requests that are being answered keep theirs."""
        try:
            current = self.bundles.current()
            if current is None or current.version == self.served.version:
                return
            served = await asyncio.to_thread(self.bundles.load)
        except InputError as error:
            self.events.note(f"the new version cannot be loaded: {error}")
            return
        if served.version > self.served.version:
            self.served = served
            self.metrics.version.set(served.version)

    async def compute(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function in the models' thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.models, lambda: function(*arguments, **named))

    def require_users(self, otherwise: str) -> None:
        """Refuse to answer for users by their ids if the bundle has none.

        Raises:
            InputError: it has none; `otherwise` is what may be given.
        """
        if not self.service.users:
            raise InputError(f"this server knows no users; give {otherwise}, or start it with --users")

    def check(self, number: int, most: int, what: str) -> None:
        """Refuse more than the limit.

        Raises:
            InputError: more.
        """
        if number > most:
            raise InputError(f"{number} {what} are too many; give at most {most}")


def make_app(
    bundles: Bundles,
    service: Service,
    token: str | None = None,
    events: Events = Events(),
    log_requests: bool = False,
) -> FastAPI:
    """Return the application of one worker.

    Args:
        bundles: with a version.
        service: what is served and how.
        token: that requests must give; None: none.
        events: hears the log.
        log_requests: log every request.
    """
    server = Server(bundles, service, events)
    app = FastAPI(
        title="prism-rec",
        version=VERSION,
        lifespan=server.running,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=REFUSED,
    )
    app.state.server = server
    app.add_middleware(
        Guard,
        limits=service,
        token=token,
        metrics=server.metrics,
        events=events,
        log_requests=log_requests,
    )
    _report_problems(app)
    _add_questions(app, server)
    _add_operations(app, server)
    return app


def _report_problems(app: FastAPI) -> None:
    """Answer a wrong request with one line of JSON that names the fault and repeats nothing of the request."""

    @app.exception_handler(InputError)
    async def wrong(_: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"error": " ".join(str(error).split())}, 422)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            return JSONResponse({"error": "body: send Content-Type: application/json"}, 422)
        return JSONResponse({"error": say_problem(error.errors(), request.url.path)}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        why = error.detail
        if error.status_code == 404:
            why = "there is no such path; /openapi.json lists them"
        if error.status_code == 405:
            why = f"this path is asked with {(error.headers or {}).get('Allow', 'another method')}"
        return JSONResponse({"error": why}, error.status_code, error.headers)

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Busy) -> JSONResponse:
        return JSONResponse({"error": "too many requests wait; ask again later"}, 503, {"Retry-After": "1"})


def _add_questions(app: FastAPI, server: Server) -> None:
    limits = server.service

    @app.post("/recommend", response_model=RecommendAnswer)
    async def recommend(request: RecommendRequest) -> Response:
        """Recommend the k best items to histories or users."""
        if (request.histories is None) == (request.users is None):
            raise InputError("give either histories or users")
        if request.users is not None:
            server.require_users("histories")
        server.check(
            len(request.histories or request.users or ()), limits.max_histories, "histories or users"
        )
        server.check(
            max(map(len, request.histories or ()), default=0), limits.max_history, "items of a history"
        )
        server.check(request.k, limits.max_k, "items for each user (k)")
        return JSONResponse(await server.batches.ask(request))

    @app.post("/explain", response_model=Explanation)
    async def explain(request: ExplainRequest) -> Response:
        """Say what the score of an item is made of, and what of the history it depends on."""
        if (request.history is None) == (request.user is None):
            raise InputError("give either history or user")
        recommender = server.served.recommender
        if request.user is not None:
            server.require_users("a history")
            history = recommender.history_of(request.user)
        else:
            history = request.history or []
            server.check(len(history), limits.max_history, "items of a history")
        found = await server.compute(recommender.explain, history, request.item)
        return Response(found.model_dump_json(), media_type="application/json")

    @app.post("/similar", response_model=SimilarAnswer)
    async def similar(request: SimilarRequest) -> Response:
        """Return the items that the model reads most like an item."""
        server.check(request.k, limits.max_k, "items (k)")
        version, recommender = server.served
        frame = await server.compute(
            recommender.similar_items, request.item, request.k, **request.conditions()
        )
        return JSONResponse({"similar": frame.drop("rank").to_dicts(), "version": version})


def _add_operations(app: FastAPI, server: Server) -> None:
    @app.post("/items", response_model=ItemsAnswer)
    async def items(request: ItemsRequest) -> Response:
        """Add items to the catalogue of every worker."""
        if not server.service.add_items:
            raise HTTPException(403, "this server takes no items; start it with --add-items")

        bare: list[str] = []

        def add(recommender: Recommender) -> None:
            known = recommender.dataset.number_of_items
            recommender.add_items(_frame(request.items), _vectors(request.features))
            bare.extend(without_vectors(recommender.dataset, known))

        version = await asyncio.to_thread(server.bundles.change, add, server.service.users)
        await server.renew()
        return JSONResponse({"added": len(request.items), "without_vectors": bare, "version": version})

    @app.get("/health", response_model=Health)
    async def health() -> Response:
        """Say which model is served."""
        version, recommender = server.served
        names, number = list(recommender.component_names), recommender.dataset.number_of_items
        return JSONResponse({"status": "ok", "version": version, "items": number, "components": names})

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Return counts and times in the format of Prometheus."""
        return Response(server.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _frame(items: list[dict[str, Any]]) -> pl.DataFrame:
    """Return a table of items.

    Raises:
        InputError: the values of a column are of several types.
    """
    with suppress(pl.exceptions.PolarsError, TypeError, ValueError):
        return pl.DataFrame(items, infer_schema_length=None, strict=True)
    raise InputError("items: the values of a column are of several types; give it one type")


def _vectors(features: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Return a matrix and ids for each modality.

    Raises:
        InputError: vectors of one modality are of different lengths, or there is none.
    """
    found = {}
    for name, by_item in features.items():
        if len({len(vector) for vector in by_item.values()}) != 1:
            raise InputError(f"features: the vectors of {name!r} are of several lengths, or there is none")
        found[name] = np.array(list(by_item.values()), np.float32), list(by_item)
    return found
