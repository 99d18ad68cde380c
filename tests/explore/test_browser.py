"""The page in a real browser, on a screen and on a phone."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from browser import PHONE, check_no_word_is_cut, check_on_a_phone, chromium
from prism_rec import load
from prism_rec.explore.app import make_app
from prism_rec.explore.look import Look
from prism_rec.serve.listening import listen
from recommend.test_recommender import make_run


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "prism")
    make_run(folder / "only-ids", fusion={"kind": "id"})
    looks = [Look(name, load(folder / name, "cpu"), 5) for name in ("prism", "only-ids")]
    with listen("127.0.0.1", 0) as (listener, address):
        server = uvicorn.Server(uvicorn.Config(make_app(looks, {}), log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield address
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def titles(page: Any) -> list[str]:
    return [str(text) for text in page.locator("#list-1 .cards .title").all_inner_texts()]


@pytest.mark.slow
def test_a_user_is_chosen_and_a_modality_switched_off_with_the_keyboard(
    browser: Any, address: str, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_label("User").fill("u3")
    page.keyboard.press("Enter")
    page.get_by_text("5 items, the latest first").wait_for()
    before = titles(page)
    assert len(before) == 5
    page.get_by_label("switch image off").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Against the whole history").first.wait_for()
    after = titles(page)
    assert after != before or page.get_by_text("0 new, 0 moved").count()
    page.get_by_label("switch text off").focus()
    page.keyboard.press("Enter")
    page.get_by_text("text: off").wait_for()
    assert titles(page) != before
    assert page.locator("#list-1 .mark").count()
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 10_000


@pytest.mark.parametrize("path", ["/?user=u3", "/?user=u3&why=item-05&q=item", "/weights?user=u3"])
@pytest.mark.slow
def test_a_phone_needs_no_sideways_scrolling_and_no_small_targets(
    browser: Any, address: str, path: str
) -> None:
    page = browser.new_page(viewport=PHONE)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(address + path)
    check_on_a_phone(page)
    small = page.evaluate(
        """[...document.querySelectorAll("main a, button, input:not([type=hidden])")]
           .filter(one => one.getBoundingClientRect().height < 24).map(one => one.outerHTML)"""
    )
    assert small == []
    assert failed == []


@pytest.mark.slow
def test_no_word_of_an_explanation_is_cut_on_a_phone(browser: Any, address: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{address}/?user=u3")
    page.get_by_text("why?").first.click()
    page.get_by_text("Without these").first.wait_for()
    assert page.locator(".why th").count() > 5
    check_no_word_is_cut(page)
