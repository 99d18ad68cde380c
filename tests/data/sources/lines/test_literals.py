import ast
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data.sources.lines import literals
from prism_rec.data.sources.lines.literals import parse_literal

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=150)
def test_what_python_writes_is_read_back(value: object) -> None:
    assert parse_literal(repr(value)) == value


def test_old_and_odd_forms_are_read() -> None:
    line = r"""{'asin': u'B00\x31', "title": "It's", 'price': -9.99, 'rank': {'Toys &amp; Games': 7L}}"""
    with pytest.raises(ValueError, match="literal"):
        parse_literal(line)  # a long integer of Python 2 is none today
    assert parse_literal(line.replace("7L", "7e2"))["rank"] == {"Toys &amp; Games": 700.0}
    assert parse_literal(r"{'a': 'C:\d'}") == {"a": r"C:\d"}  # without a warning of the odd escape


HOSTILE = {
    "call": "{'asin': __import__('os').system('touch pwned')}",
    "name": "{'asin': exit}",
    "attribute": "{'asin': ''.join}",
    "format string": "{'asin': f'{exit()}'}",
    "bytes": "{'asin': b'x'}",
    "comprehension": "[x for x in [1]]",
    "lambda": "lambda: 0",
    "walrus": "(a:=1)",
    "unpacking": "[*'abc']",
    "sum": "+".join("1" * 50_000),
    "difference": "1-" * 50_000 + "1",
    "signs": "-" * 100_000 + "1",
    "not": "not " * 100_000 + "1",
    "power": "9**9**9",
    "repeat": "'x'*999999999",
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep, open": "[" * 900_000,
    "deep dictionaries": "{1:" * 300 + "1" + "}" * 300,
    "too many": "[" + "1," * 200_000 + "]",
    "too long": "'" + "x" * 2**20 + "'",
    "open text": "'" + r"\'" * 400_000,
    "texts side by side": "'a'" * 100_000,
    "unhashable key": "{[]: 1}",
    "huge number": "1" * 100_000,
    "statement": "import os",
    "empty": "",
    "zero byte": "'a\0b",
    "comment": "1 # x",
    "line": "1\n__import__('os')",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_literals_are_refused_quickly(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="literal|longer than 1 MiB"):
        parse_literal(text)
    assert time.process_time() - began < 1


def test_what_is_more_than_a_literal_never_reaches_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise AssertionError("reached")

    monkeypatch.setattr(ast, "literal_eval", fail)
    monkeypatch.setattr(literals.ast, "literal_eval", fail)
    for name in (
        "call",
        "name",
        "attribute",
        "sum",
        "signs",
        "not",
        "power",
        "deep",
        "too many",
        "open text",
    ):
        with pytest.raises(ValueError, match=r"literal|longer"):
            parse_literal(HOSTILE[name])
