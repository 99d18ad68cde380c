"""YAML that is refused: keys given twice, endless growth, endless depth."""

import time

import pytest
import yaml

from prism_rec.strict_yaml import DEEPEST, load

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


def test_aliases_and_plain_values_are_read() -> None:
    assert load("a: &x {b: 1.5}\nc: *x\nd: [true, null, 2020-01-01]\n")["c"] == {"b": 1.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a is given twice"),
        ("a: {b: 1, b: 1}", "the key b is given twice"),
        (BOMB, "more than 100,000 values"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "levels deep"),
        ("[" * 100_000, "levels deep"),
        ("k: 1\n" * 50_000, "more than 200,000 characters"),
        ("a: " + "9" * 5000, "a number has too many digits"),
        ("a: &a [*a]", "part of itself"),
        ("[1, 2]: 3", "a key should be a word"),
        ("a: 2020-13-45", "month must be"),
        ("a: [1", "expected"),
        ("!!timestamp x", "not of the type that its tag says"),
        ("a: 1\nb: '\\ud800'".replace("'", '"'), "line 2: half a character"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    began = time.process_time()
    with pytest.raises(yaml.YAMLError, match=message):
        load(text)
    assert time.process_time() - began < 5
