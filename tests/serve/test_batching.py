"""Requests that wait together are answered in one pass, each with its own answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from prism_rec import load
from prism_rec.errors import InputError
from prism_rec.recommend.recommender import Recommender
from prism_rec.serve.batching import Batches, Busy, answer_all
from prism_rec.serve.bundles import Served
from prism_rec.serve.messages import RecommendRequest
from recommend.test_recommender import make_run

REQUESTS = [
    RecommendRequest(histories=[["item-01"], ["item-02", "item-03"]], k=2),
    RecommendRequest(histories=[["item-04"]], k=5, seen="keep"),
    RecommendRequest(histories=[]),
    RecommendRequest(histories=[["item-05"]], candidates=["x"]),
    RecommendRequest(histories=[["item-06"], []], k=7),
    RecommendRequest(users=["u1", "nobody", "u1"], k=3),
]


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    folder = tmp_path_factory.mktemp("runs") / "prism"
    make_run(folder)
    return load(folder, "cpu")


def test_each_request_gets_the_answer_that_it_gets_without_others(recommender: Recommender) -> None:
    served = Served(1, recommender)
    together = answer_all(served, REQUESTS)
    for request, found in zip(REQUESTS, together, strict=True):
        (alone,) = answer_all(served, [request])
        if isinstance(found, InputError):
            assert str(found) == str(alone) == "none of the candidates is known to the model; check their ids"
            continue
        lists = found["recommendations"]
        assert [[item["item_id"] for item in items] for items in lists] == [
            [item["item_id"] for item in items] for items in alone["recommendations"]
        ]
        assert all(len(items) == request.k for items in lists)
        frame = recommender.recommend(request.histories, request.users and ["u1"], 2, seen=request.seen)
        if lists:
            assert [item["item_id"] for item in lists[0][:2]] == frame["item_id"].to_list()[:2]


def test_what_comes_while_the_model_works_is_answered_next_and_at_once(recommender: Recommender) -> None:
    passes: list[float] = []

    async def main() -> list[dict[str, object]]:
        with ThreadPoolExecutor(1) as executor:
            batches = Batches(lambda: Served(1, recommender), executor, 4, passes.append)
            asking = [asyncio.create_task(batches.ask(REQUESTS[0])) for _ in range(4)]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await batches.ask(REQUESTS[0])
            work = asyncio.create_task(batches.work())
            answers = await asyncio.gather(*asking)
            with pytest.raises(InputError, match="none of the candidates"):
                await batches.ask(REQUESTS[3])
            work.cancel()
            return answers

    answers = asyncio.run(main())
    assert passes == [4, 1]
    assert all(answer == answers[0] for answer in answers)
