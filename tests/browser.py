"""A real browser for tests of pages; the tests are skipped, with a reason, if there is no Chromium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844}
NAMES = ("chromium", "chromium-browser", "google-chrome")
SMALLEST = 11
"""Pixels of the smallest letters that are accepted."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a Chromium of the system, or the one that `make browser` installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except sync_api.Error:
            pytest.skip("there is no Chromium here; make browser installs one")
        yield browser
        browser.close()


def check_on_a_phone(page: Any) -> None:
    """Check that a page of 390 pixels needs no sideways scrolling and has no tiny letters."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tiny = page.evaluate(
        """smallest => {
            const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
            while (walker.nextNode()) {
                const text = walker.currentNode, owner = text.parentElement
                if (!text.data.trim() || owner.closest("style, script, title, desc")) continue
                const range = document.createRange()
                range.selectNodeContents(text)
                if (!range.getBoundingClientRect().width) continue
                const shape = owner.closest("svg")
                let scale = 1
                if (shape && shape.viewBox.baseVal.width)
                    scale = shape.getBoundingClientRect().width / shape.viewBox.baseVal.width
                const size = parseFloat(getComputedStyle(owner).fontSize) * scale
                if (size < smallest - .01) found.push([text.data.trim().slice(0, 30), size])
            }
            return found
        }""",
        SMALLEST,
    )
    assert tiny == []


def check_no_word_is_cut(page: Any, selector: str = "th, td:first-child") -> None:
    """Check that no word in the first columns and heads of tables is broken over two lines."""
    assert page.locator(selector).count()
    cut = page.evaluate(
        """selector => {
            const found = []
            for (const owner of document.querySelectorAll(selector)) {
                const walker = document.createTreeWalker(owner, NodeFilter.SHOW_TEXT)
                while (walker.nextNode()) {
                    const text = walker.currentNode
                    for (const word of text.data.matchAll(/[A-Za-z@0-9]+/g)) {
                        const range = document.createRange()
                        range.setStart(text, word.index)
                        range.setEnd(text, word.index + word[0].length)
                        const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)))
                        if (lines.size > 1) found.push(word[0])
                    }
                }
            }
            return found
        }""",
        selector,
    )
    assert cut == []
