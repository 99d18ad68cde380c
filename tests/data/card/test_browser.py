"""The data card in a real browser on a phone."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from browser import PHONE, check_no_word_is_cut, check_on_a_phone, chromium
from prism_rec.data import Dataset
from prism_rec.data.card.page import write_card


@pytest.mark.slow
def test_a_phone_shows_the_card_without_sideways_scrolling_and_tiny_letters(tmp_path: Path) -> None:
    rows = [(f"user {user}", f"item {item}", 86_400 * item) for user in range(40) for item in range(3 + user)]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    dataset = Dataset.from_frame(log, features={"text": (np.eye(2), ["item 0", "item 3"])})
    dataset.save(tmp_path / "data", {"source": "table"}, [])
    write_card(dataset, tmp_path / "data")
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto((tmp_path / "data" / "card.html").as_uri())
        check_on_a_phone(page)
        check_no_word_is_cut(page)
