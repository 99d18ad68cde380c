"""The application: what it answers, and what it refuses."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from prism_rec import load
from prism_rec.events import Events
from prism_rec.serve.app import make_app
from prism_rec.serve.bundles import Bundles
from prism_rec.serve.settings import Service
from recommend.test_recommender import WIDTH, make_run

HISTORIES = [["item-01", "item-02"], ["item-03"], ["gone", "item-04"], []]


class Notes(Events):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "prism"
    make_run(folder)
    return folder


@pytest.fixture
def bundles(run: Path, tmp_path: Path) -> Bundles:
    bundles = Bundles(tmp_path / "bundles")
    bundles.publish(load(run, "cpu"), "source", histories=False)
    return bundles


@pytest.fixture
def client(bundles: Bundles) -> Iterator[TestClient]:
    with TestClient(make_app(bundles, Service(max_k=20, max_history=50, max_histories=10))) as client:
        yield client


def test_histories_get_what_python_returns(client: TestClient, run: Path) -> None:
    answer = client.post("/recommend", json={"histories": HISTORIES, "k": 3}).json()
    frame = load(run, "cpu").recommend(HISTORIES, k=3)
    found = [item for items in answer["recommendations"] for item in items]
    assert [item["item_id"] for item in found] == frame["item_id"].to_list()
    assert [item["score"] for item in found] == frame["score"].to_list()
    assert answer["unknown_items"] == ["gone"]
    assert answer["version"] == 1
    first = found[0]
    assert sum(first["contributions"].values()) == pytest.approx(first["score"], abs=1e-5)
    assert first["title"] == f"Title {first['item_id']}"
    assert answer["recommendations"][3][0]["contributions"] == {}
    assert answer["recommendations"][3][0]["score"] is None


def test_conditions_and_lists_without_items_keep_the_order(client: TestClient) -> None:
    request = {
        "histories": [["item-01"], ["item-02"]],
        "candidates": ["item-01"],
        "where": {"title": {"contains": "01"}},
    }
    answer = client.post("/recommend", json=request).json()["recommendations"]
    assert answer[0] == []
    assert [item["item_id"] for item in answer[1]] == ["item-01"]
    seen = client.post("/recommend", json=request | {"seen": "keep"}).json()["recommendations"]
    assert [item["item_id"] for item in seen[0]] == ["item-01"]


def test_a_value_that_no_item_has_is_refused(client: TestClient) -> None:
    for path, request in (("recommend", {"histories": [["item-01"]]}), ("similar", {"item": "item-01"})):
        answer = client.post(f"/{path}", json=request | {"where": {"title": "Shoe"}})
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("where: no item has title Shoe (found: Title item-00, ")


def test_a_wrong_form_of_a_request_is_said_in_words_of_the_request(client: TestClient) -> None:
    asked = {"histories": [["item-01"]], "where": {"price": {"max": "cheap"}}}
    answer = client.post("/recommend", json=asked)
    assert answer.json() == {"error": "where.price.max: give a number"}
    answer = client.post("/recommend", content=json.dumps(asked), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "body: send Content-Type: application/json"},
    )
    assert client.post("/recommend", json={"users": ["u1"]}).json()["error"].endswith("start it with --users")


def test_explanations_and_similar_items_are_those_of_python(client: TestClient, run: Path) -> None:
    recommender = load(run, "cpu")
    found = client.post("/explain", json={"history": HISTORIES[0], "item": "item-05"}).json()
    assert found == json.loads(recommender.explain(HISTORIES[0], "item-05").model_dump_json())
    similar = client.post("/similar", json={"item": "item-05", "k": 4, "exclude": ["item-06"]}).json()[
        "similar"
    ]
    frame = recommender.similar_items("item-05", k=4, exclude=["item-06"])
    assert similar == frame.drop("rank").to_dicts()


def test_health_metrics_and_description(client: TestClient) -> None:
    assert client.get("/health").json()["items"] == 12
    client.post("/recommend", json={"histories": [["item-01"]]})
    text = client.get("/metrics").text
    assert 'prism_rec_requests_total{route="/recommend",status="200"} 1.0' in text
    assert "prism_rec_model_version 1.0" in text
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/recommend", "/explain", "/similar", "/items", "/health", "/metrics"}


@pytest.mark.parametrize(
    ("path", "request_", "status", "reason"),
    [
        ("/recommend", {}, 422, "give either histories or users"),
        ("/recommend", {"histories": [["item-01"]], "users": ["u1"]}, 422, "give either"),
        ("/recommend", {"users": ["u1"]}, 422, "this server knows no users"),
        ("/recommend", {"histories": [["item-01"]], "k": 0}, 422, "k: give at least 1"),
        ("/recommend", {"histories": [["item-01"]], "k": 10**9}, 422, "1000000000 items for each user"),
        ("/recommend", {"histories": [["item-01"]], "k": 10**400}, 422, "k: give at most 2147483648"),
        ("/recommend", {"histories": [["item-01"]], "k": "5"}, 422, "k: "),
        (
            "/recommend",
            {"histories": [["item-01"]], "K": 5},
            422,
            "K: there is no such key; the keys are k, candidates, ",
        ),
        ("/recommend", {"histories": [[1]]}, 422, "histories.0.0: give a text in quotes"),
        ("/recommend", {"histories": "item-01"}, 422, "histories: give a list"),
        ("/recommend", {"histories": [["item-01"] * 51]}, 422, "51 items of a history are too many"),
        ("/recommend", {"histories": [[]] * 11}, 422, "11 histories or users are too many"),
        ("/recommend", {"histories": [["item-01"]], "where": {"price": 1}}, 422, "no column 'price'"),
        ("/recommend", {"histories": [["item-01"]], "candidates": ["x"]}, 422, "none of the candidates"),
        ("/explain", {"history": [], "item": "item-01"}, 422, "no item of the history is known"),
        ("/explain", {"history": ["item-01"], "item": "x"}, 422, "item 'x' is unknown"),
        ("/explain", {"item": "item-01"}, 422, "give either history or user"),
        ("/explain", {"item": "item-01", "user": "u1"}, 422, "this server knows no users; give a history"),
        ("/explain", {"history": ["item-01"]}, 422, "item: missing; add it"),
        ("/recommend", [], 422, "body: give an object"),
        ("/recommend", {"histories": [[""]]}, 422, "histories.0.0: the text is empty"),
        ("/recommend", {"histories": [[]], "seen": "no"}, 422, "seen: give 'remove' or 'keep'"),
        (
            "/recommend",
            {"histories": [[]], "where": {"x": {"less": 1}}},
            422,
            "the keys are min, max, contains",
        ),
        ("/items", {"items": []}, 422, "items: the list is empty"),
        ("/similar", {"item": "x"}, 422, "item 'x' is unknown"),
        ("/items", {"items": [{"item_id": "new"}]}, 403, "this server takes no items"),
        ("/items", {"items": [{"x\ny": {}}]}, 422, "items.0.x y"),
        ("/nothing", {}, 404, "there is no such path; /openapi.json lists them"),
        ("/health", {}, 405, "this path is asked with GET"),
    ],
)
def test_a_wrong_request_gets_a_reason(
    client: TestClient, path: str, request_: dict[str, object], status: int, reason: str
) -> None:
    answer = client.post(path, json=request_)
    assert answer.status_code == status
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b'{"histories": [["item-01"]], "k": NaN}', 422),
        (b'{"histories": [["item-01"]], "where": {"title": {"min": Infinity}}}', 422),
        (b'{"histories": [["\\ud800"]]}', 422),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000, 400),
        (b'{"histories": ' + b"9" * 5000 + b"}", 400),
        (b" " * 2_000_000, 413),
    ],
)
def test_a_body_that_is_no_request_is_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/recommend", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_what_is_not_json_is_said_with_its_place(client: TestClient) -> None:
    answer = client.post("/recommend", content=b'{"k": 1,}', headers={"content-type": "application/json"})
    assert answer.json()["error"].startswith("body: not JSON (")
    assert answer.json()["error"].endswith(", at character 8)")


def test_without_the_token_only_health_answers(bundles: Bundles) -> None:
    with TestClient(make_app(bundles, Service(), token="secret")) as client:
        assert client.get("/health").status_code == 200
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
            answer = client.get("/metrics", headers=header)
            assert (answer.status_code, "Bearer TOKEN" in answer.json()["error"]) == (401, True)
        assert client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_users_are_answered_only_if_the_server_has_them(run: Path, tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "with-users")
    recommender = load(run, "cpu")
    bundles.publish(recommender, "source", histories=True)
    with TestClient(make_app(bundles, Service(users=True))) as client:
        answer = client.post("/recommend", json={"users": ["u1", "nobody", "u1"], "k": 2}).json()
    found = [[item["item_id"] for item in items] for items in answer["recommendations"]]
    assert found[0] == found[2] == recommender.recommend(users=["u1"], k=2)["item_id"].to_list()
    assert answer["recommendations"][1][0]["score"] is None
    assert answer["unknown_users"] == ["nobody"]


def test_a_user_is_explained_by_the_users_history(run: Path, tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "with-users")
    recommender = load(run, "cpu")
    bundles.publish(recommender, "source", histories=True)
    with TestClient(make_app(bundles, Service(users=True))) as client:
        asked = client.post("/explain", json={"user": "u1", "item": "item-05"}).json()
        history = client.post("/explain", json={"history": recommender.history_of("u1"), "item": "item-05"})
        unknown = client.post("/explain", json={"user": "nobody", "item": "item-05"})
    assert asked == history.json()
    assert (unknown.status_code, "user 'nobody' is unknown" in unknown.json()["error"]) == (422, True)


def test_added_items_are_a_new_version(bundles: Bundles) -> None:
    features = {"text": {"new": [1.0] * WIDTH}}
    with TestClient(make_app(bundles, Service(add_items=True))) as client:
        request = {"items": [{"item_id": "new", "title": "Fresh"}], "features": features}
        assert client.post("/items", json=request).json() == {"added": 1, "without_vectors": [], "version": 2}
        assert client.get("/health").json()["items"] == 13
        answer = client.post("/recommend", json={"histories": [["item-01"]], "candidates": ["new"]}).json()
        assert answer["recommendations"][0][0]["title"] == "Fresh"
        for wrong, reason in (
            (request, "in the catalogue already"),
            ({"items": [{"item_id": "a", "x": 1.5}, {"item_id": "b", "x": ["y"]}]}, "of several types"),
            ({"items": [{"item_id": "a"}], "features": {"text": {"a": [1.0]}}}, "text"),
            ({"items": [{"item_id": "a"}], "features": {"text": {}}}, "or there is none"),
            ({"items": [{"item_id": "a"}], "features": {"smell": {"a": [0.5]}}}, "no feature 'smell'"),
        ):
            answer = client.post("/items", json=wrong)
            assert (answer.status_code, reason in answer.json()["error"]) == (422, True), answer.json()


def test_the_log_has_no_personal_data(bundles: Bundles, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes()
    app = make_app(bundles, Service(), events=notes, log_requests=True)

    def fail(*_: object) -> None:
        raise RuntimeError("item-01 of the customer")

    with TestClient(app) as client:
        client.post("/recommend?who=ann", json={"histories": [["item-01"]]})
        monkeypatch.setattr("prism_rec.serve.batching.answer_all", fail)
        answer = client.post("/recommend", json={"histories": [["item-01"]]})
    assert answer.status_code == 500
    assert "item-01" not in answer.text
    assert len(notes.lines) == 2
    assert "RuntimeError in fail" in notes.lines[1]
    assert not any(
        word in line
        for line in notes.lines
        for word in ("item", "ann", "customer", "127.0.0.1", "testclient")
    )


def test_a_request_that_takes_too_long_is_given_up(bundles: Bundles, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(*_: object) -> None:
        await asyncio.sleep(5)

    with TestClient(make_app(bundles, Service(max_seconds=0.05))) as client:
        monkeypatch.setattr(client.app.state.server.batches, "ask", ask)
        answer = client.post("/recommend", json={"histories": [["item-01"]]})
    assert (answer.status_code, "took too long" in answer.json()["error"]) == (503, True)


def test_more_requests_than_may_wait_are_refused(bundles: Bundles) -> None:
    def full(_: object) -> None:
        raise asyncio.QueueFull

    with TestClient(make_app(bundles, Service())) as client:
        client.app.state.server.batches.queue.put_nowait = full
        answer = client.post("/recommend", json={"histories": [["item-01"]]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
