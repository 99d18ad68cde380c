import os

import pytest

from prism_rec.devices import choose_device, use_huge_pages
from prism_rec.errors import InputError


def test_a_device_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(
        InputError, match="^device cuda:99 is not available on this machine; use cpu or auto$"
    ):
        choose_device("cuda:99")
    assert choose_device("cpu").type == "cpu"


def test_huge_pages_are_asked_for_unless_the_user_has_decided(monkeypatch):
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "")  # so that it is as before after the test
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE")
    use_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    use_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
