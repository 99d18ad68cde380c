"""Requests that wait for the model at the same time are answered in one pass of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NamedTuple

from prism_rec.errors import InputError
from prism_rec.serve.bundles import Served
from prism_rec.serve.messages import RecommendRequest

MOST_TOGETHER = 32

Answer = dict[str, Any] | InputError
"""A `RecommendAnswer` as a dictionary, or why there is none."""


class Busy(Exception):  # noqa: N818 (no error: a state)
    """Too many requests wait already."""


class _Waiting(NamedTuple):
    request: RecommendRequest
    answer: "asyncio.Future[Answer]"


class Batches:
    """Gathers requests while the model works, and gives it all of them next; no request waits for others to come.

    Args:
        served: returns the version to answer with.
        executor: the one thread in which models work.
        most: number of requests that may wait.
        observe: hears how many requests a pass answered.
    """

    def __init__(
        self,
        served: Callable[[], Served],
        executor: Executor,
        most: int,
        observe: Callable[[float], None],
    ) -> None:
        self.served = served
        self.executor = executor
        self.observe = observe
        self.queue: asyncio.Queue[_Waiting] = asyncio.Queue(most)

    async def ask(self, request: RecommendRequest) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            Busy: too many requests wait.
            InputError: the request is wrong.
        """
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        try:
            self.queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Busy from None
        answer = await waiting.answer
        if isinstance(answer, InputError):
            raise answer
        return answer

    async def work(self) -> None:
        """Answer requests until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self.queue.get()]
            while len(batch) < MOST_TOGETHER and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            batch = [waiting for waiting in batch if not waiting.answer.done()]  # its time ran out
            self.observe(len(batch))
            requests = [waiting.request for waiting in batch]
            try:
                answers = await loop.run_in_executor(self.executor, answer_all, self.served(), requests)
            except Exception as error:  # a defect: each request reports it, and the worker goes on
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)
                continue
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)


def answer_all(served: Served, requests: list[RecommendRequest]) -> list[Answer]:
    """Answer requests; those that ask for histories without conditions are answered together."""
    together = [
        place
        for place, request in enumerate(requests)
        if request.histories is not None and request.seen is None and not request.conditions()
    ]
    answers: list[Answer] = [InputError("")] * len(requests)
    if together:
        histories = [history for place in together for history in requests[place].histories or ()]
        k = max(requests[place].k for place in together)
        lists = iter(served.recommender.recommend_lists(histories, k=k))
        for place in together:
            found = [next(lists)[: requests[place].k] for _ in requests[place].histories or ()]
            answers[place] = _answer(served, requests[place], found)
    for place in set(range(len(requests))) - set(together):
        answers[place] = _answer_one(served, requests[place])
    return answers


def _answer_one(served: Served, request: RecommendRequest) -> Answer:
    choice = {"k": request.k, "seen": request.seen, **request.conditions()}
    try:
        found = served.recommender.recommend_lists(request.histories, request.users, **choice)
    except InputError as error:
        return error
    return _answer(served, request, found)


def _answer(served: Served, request: RecommendRequest, found: list[list[dict[str, Any]]]) -> Answer:
    items = (item for history in request.histories or () for item in history)
    return {
        "recommendations": found,
        "unknown_items": list(dict.fromkeys(served.recommender.unknown_items(items))),
        "unknown_users": list(dict.fromkeys(served.recommender.unknown_users(request.users or ()))),
        "version": served.version,
    }
