"""Every letter in a tensor's name is in the legend of ARCHITECTURE.md, and every letter there is used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUFFIX = re.compile(r"[a-z][a-z0-9_]*_([0-9]?[A-Z][A-Za-z0-9]*)$")
"""`x_BLD`, `own_B1`, `ids_1NV`; constants and classes do not match."""


def legend() -> set[str]:
    """Return the letters that have a line in the legend."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## Axis letters")[1].split("\n## ")[0]
    return set(re.findall(r"^    ([A-Za-z])  ", section, re.MULTILINE))


def names(tree: ast.AST) -> Iterator[str]:
    """Yield every name of a module: variables, arguments, attributes, functions."""
    for node in ast.walk(tree):
        for field in ("id", "arg", "attr", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def suffixes() -> dict[str, str]:
    """Return the suffix of every tensor's name in the library, with a file that has it."""
    return {
        found[1]: str(file.relative_to(ROOT))
        for file in sorted((ROOT / "src").rglob("*.py"))
        for name in names(ast.parse(file.read_text(encoding="utf-8")))
        if (found := SUFFIX.match(name))
    }


def test_every_letter_of_a_tensors_name_is_in_the_legend() -> None:
    letters = legend()
    unknown = {
        f"_{suffix} in {file}"
        for suffix, file in suffixes().items()
        if not {letter for letter in suffix if letter.isalpha()} <= letters
    }
    assert unknown == set()


def test_every_letter_of_the_legend_is_used() -> None:
    used = {letter for suffix in suffixes() for letter in suffix}
    assert legend() - used - {"b", "l"} == set()  # of blocks: x_bl


def test_an_unknown_letter_would_be_found() -> None:
    tree = ast.parse("def f(x_BLD, y_BY): return x_BLD.z_QQ + CHUNK_SIZE + SomeClass")
    found = [match[1] for name in names(tree) if (match := SUFFIX.match(name))]
    assert sorted(found) == ["BLD", "BLD", "BY", "QQ"]
    assert not set("BY") <= legend()
