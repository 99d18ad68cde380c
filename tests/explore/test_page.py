"""The page: what it shows, read as a browser reads it, without a browser."""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from fastapi.testclient import TestClient

from prism_rec import load
from prism_rec.errors import InputError
from prism_rec.explore.app import POLICY, find_pictures, make_app
from prism_rec.explore.look import Look, require_same_items
from prism_rec.explore.page import bar
from recommend.test_recommender import make_run

HISTORY = "item=item-01&item=item-02&item=item-03"


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> list[Look]:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "prism")
    make_run(folder / "only-ids", fusion={"kind": "id"})
    return [Look(name, load(folder / name, "cpu"), 5) for name in ("prism", "only-ids")]


@pytest.fixture
def client(looks: list[Look], tmp_path: Path) -> Iterator[TestClient]:
    picture = tmp_path / "item-05.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with TestClient(make_app(looks, find_pictures(tmp_path))) as client:
        yield client


def lists(page: str) -> list[list[str]]:
    """Return the titles of each list of recommendations."""
    return [
        re.findall(r'class="title">(.*?)<', ordered)
        for ordered in re.findall(r'<ol class="cards">(.*?)</ol>', page, re.DOTALL)
    ]


def links(page: str) -> dict[str, str]:
    """Return addresses by the label that a screen reader says."""
    found = re.findall(r"<a ([^>]*)>", page)
    pairs = [(re.search('aria-label="(.*?)"', one), re.search('href="(.*?)"', one)) for one in found]
    return {unescape(label[1]): unescape(address[1]) for label, address in pairs if label and address}


def test_both_lists_are_those_of_python(client: TestClient, looks: list[Look]) -> None:
    page = client.get(f"/?{HISTORY}")
    assert page.headers["content-security-policy"] == POLICY
    history = ["item-01", "item-02", "item-03"]
    expected = [look.recommender.recommend([history], k=5)["title"].to_list() for look in looks]
    assert lists(page.text) == expected
    common = set(expected[0]) & set(expected[1])
    assert page.text.count(">in both<") == 2 * len(common)
    assert 'src="/picture?item=item-05"' in page.text
    assert client.get("/picture?item=item-05").content.startswith(b"\xff\xd8")
    assert client.get("/picture?item=../secret").status_code == 404
    assert "http" not in re.sub(r"&[a-z]+;", "", page.text)  # nothing comes from elsewhere


def test_a_user_is_chosen_and_titles_are_searched(client: TestClient, looks: list[Look]) -> None:
    page = client.get("/?user=u3").text
    for item in looks[0].recommender.history_of("u3"):
        assert f"remove Title {item}" in page
    assert "remove Title" in client.get("/?user=*").text
    page = client.get("/?user=nobody").text
    assert "Popular items" in page
    assert "User nobody is unknown to this run: choose another, or items." in page
    assert "is unknown to this run" not in client.get("/?user=u3").text
    found = client.get("/?q=item-0&item=item-01").text
    assert "add Title item-07" in links(found)
    assert "add Title item-01" not in links(found)
    assert "No other item" in client.get("/?q=nothing").text
    more = client.get(links(found)["add Title item-07"]).text
    assert "remove Title item-07" in more
    assert "Title item-07" not in lists(more)[0]


def test_what_is_switched_off_or_left_out_changes_the_list_and_can_be_undone(client: TestClient) -> None:
    before = client.get(f"/?{HISTORY}").text
    off = client.get(links(before)["switch image off in all items"]).text
    assert "image: off" in off
    assert "Against the whole history with everything on" in off
    assert lists(off)[1] == lists(before)[1], "a model of ids has nothing to switch off"
    out = client.get(links(off)["leave out Title item-03"]).text
    assert "Title item-03" not in lists(out)[0]
    assert "put back Title item-03" in links(out)
    marked = re.findall(r'class="mark">(new|was \d+)<', out)
    assert marked
    assert lists(client.get(links(out)["undo all changes"]).text) == lists(before)
    assert (
        "Against"
        not in client.get(
            links(client.get(links(before)["remove Title item-03"]).text)["remove Title item-02"]
        ).text
    )


def test_a_recommendation_is_explained(client: TestClient, looks: list[Look]) -> None:
    page = client.get(f"/?{HISTORY}&why=item-05&out=item-02").text
    explained = looks[0].recommender.explain(["item-01", "item-03"], "item-05")
    assert explained.sentence in unescape(page)
    for name, value in explained.contributions.items():
        assert f"<th>{name}</th>" in page
        assert f">{value:+.2f}<" in page
    assert "any image" in page


def test_shares_are_of_all_that_moves_the_score(client: TestClient) -> None:
    drawn: Element = bar({"id": 3.0, "redundancy": -1.0})
    assert [piece.get("style") for piece in drawn] == ["width:75.0%", "width:25.0%"]
    assert [piece.get("class") for piece in drawn] == ["part-0", "part-1 less"]
    assert drawn.get("aria-label") == "id +3.00, redundancy -1.00"


def test_the_weights_of_everybody(client: TestClient, looks: list[Look]) -> None:
    page = client.get(f"/weights?{HISTORY}").text
    weights = looks[0].weights
    assert weights is not None
    for name, mean in zip(weights.components, weights.mean, strict=True):
        assert f"{name}: mean {mean:.2f}" in page
    assert "this history" in page
    assert "this history" not in client.get("/weights").text
    assert "no gate that depends on the user" in page  # the run with ids only
    with TestClient(make_app([looks[1]], {})) as alone:
        page = alone.get("/weights").text
    assert "no gate that depends on the user" in page
    assert "A bar is the number of users" not in page


def test_an_address_cannot_break_the_page(client: TestClient) -> None:
    wild = "<script>alert(1)</script>"
    query = {
        "item": [wild, "gone"],
        "out": ["x"],
        "off": ["smell", wild],
        "q": wild,
        "why": wild,
        "user": wild,
    }
    page = client.get("/", params=query)
    assert page.status_code == 200
    opened: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: opened.append(tag)  # type: ignore[method-assign]
    parser.feed(page.text)
    assert "main" in opened
    assert "script" not in opened
    assert "gone is unknown to prism" in page.text


def test_the_server_answers_to_its_own_name_only(looks: list[Look]) -> None:
    with TestClient(make_app(looks, {}, ["127.0.0.1"]), base_url="http://elsewhere.example") as client:
        assert client.get("/").status_code == 400


def test_runs_without_a_common_item_are_refused(looks: list[Look]) -> None:
    other = Look("other", looks[1].recommender, 5)
    other.place = {"x": 0}
    with pytest.raises(InputError, match="no item in common"):
        require_same_items(looks[0], other)
