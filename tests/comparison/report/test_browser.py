"""The report in a real browser on a phone."""

from pathlib import Path

import numpy as np
import pytest

from browser import PHONE, check_no_word_is_cut, check_on_a_phone, chromium
from comparison.made_up import compare_ranks
from prism_rec.comparison.report.page import write_report


@pytest.mark.slow
def test_a_phone_shows_the_report_without_sideways_scrolling_and_tiny_letters(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    ranks = {model: random.integers(1, 40, (5, 100)).tolist() for model in ("id", "sum", "prism")}
    write_report(compare_ranks(ranks, metrics=["ndcg@10", "recall@10"]), tmp_path)
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto((tmp_path / "report.html").as_uri())
        check_on_a_phone(page)
        check_no_word_is_cut(page)
