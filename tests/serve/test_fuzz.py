"""Whatever is sent, the answer is JSON with a reason, and the server goes on."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fuzz.requests import Answer, Request, complaint, described, nearly_right
from prism_rec import load
from prism_rec.serve.app import make_app
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.settings import Service
from recommend.test_recommender import make_run

BOUNDED = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("fuzz")
    make_run(folder / "run")
    bundles = Bundles(folder / "bundles")
    bundles.publish(load(folder / "run", "cpu"), "source", histories=False)
    app = make_app(bundles, Service(users=True, add_items=True))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def check(client: TestClient, request: Request) -> None:
    headers = {"content-type": "application/json"}
    answer = client.request(request.method, request.path, content=request.body, headers=headers)
    assert complaint(Answer(answer.status_code, answer.content)) is None


@BOUNDED
@given(request=nearly_right())
def test_requests_that_are_nearly_right(client: TestClient, request: Request) -> None:
    check(client, request)


@pytest.mark.slow
@BOUNDED
@given(data=st.data())
def test_requests_made_from_the_description(client: TestClient, data: st.DataObject) -> None:
    check(client, data.draw(described(client.get("/openapi.json").json())))


def test_the_server_is_alive_afterwards(client: TestClient) -> None:
    answer = client.post("/recommend", json={"histories": [["item-01"]]})
    assert answer.status_code == 200
    assert len(answer.json()["recommendations"][0]) == 10
