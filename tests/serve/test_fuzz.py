"""Whatever is sent, the answer is JSON with a reason, and the server goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

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
IDS = st.sampled_from(["item-01", "item-05", "gone", ""]) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | IDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(IDS, inner, max_size=4),
    max_leaves=12,
)
WHERE = st.dictionaries(
    st.sampled_from(["title", "item_id", "row", "x"]),
    JSON | st.fixed_dictionaries({}, optional={"min": JSON, "max": JSON, "contains": JSON}),
    max_size=2,
)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "histories": st.lists(st.lists(IDS, max_size=4), max_size=3) | JSON,
        "users": st.lists(IDS, max_size=2) | JSON,
        "k": st.integers() | JSON,
        "seen": st.sampled_from(["remove", "keep"]) | JSON,
        "candidates": st.lists(IDS, max_size=3) | JSON,
        "exclude": st.lists(IDS, max_size=3),
        "where": WHERE | JSON,
        "history": st.lists(IDS, max_size=3) | JSON,
        "item": IDS | JSON,
        "items": st.lists(st.dictionaries(IDS | st.just("item_id"), JSON, max_size=3), max_size=2) | JSON,
        "features": JSON,
    },
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


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert "\n" not in answer.json()["error"]


@BOUNDED
@given(request=REQUESTS, path=st.sampled_from(["/recommend", "/explain", "/similar", "/items"]))
def test_requests_that_are_nearly_right(client: TestClient, request: dict[str, Any], path: str) -> None:
    keys = {"/explain": ("history", "item"), "/items": ("items", "features")}.get(path)
    keys = keys or ("histories", "users", "k", "seen", "candidates", "exclude", "where", "item")
    body = {key: value for key, value in request.items() if key in keys}
    check(client.post(path, content=_dump(body), headers={"content-type": "application/json"}))


def _dump(body: object) -> bytes:
    import json

    return json.dumps(body).encode()


@pytest.mark.slow
@BOUNDED
@given(data=st.data())
def test_requests_made_from_the_description(client: TestClient, data: st.DataObject) -> None:
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    operations = [found.ok() for found in schema.get_all_operations()]
    operation = data.draw(st.sampled_from([one for one in operations if one.method == "post"]))
    case = data.draw(operation.as_strategy())
    answer = client.post(case.path, content=_dump(case.body), headers={"content-type": "application/json"})
    check(answer)


def test_the_server_is_alive_afterwards(client: TestClient) -> None:
    answer = client.post("/recommend", json={"histories": [["item-01"]]})
    assert answer.status_code == 200
    assert len(answer.json()["recommendations"][0]) == 10
