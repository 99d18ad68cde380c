"""YAML with limits: a key that is given twice is an error, and a small file cannot grow without bound."""

import re
from typing import Any

import yaml

MOST_NODES = 100_000
"""Values of a file, every alias counted as a copy of its anchor."""
LONGEST = 200_000
"""Characters of a file."""
DEEPEST = 50
"""Levels of sections within sections."""

_HALF = re.compile("[\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """Composes first, so that nothing is built from a file that is refused."""

    def compose_document(self) -> yaml.Node | None:
        node = super().compose_document()
        _check(node, 1, {})
        return node


def load(text: str) -> Any:
    """Return the value of a YAML document.

    Raises:
        yaml.YAMLError: it is not YAML, too long, has a key twice, is nested too deeply, or has too many values.
    """
    if len(text) > LONGEST:  # before it is read, which takes a second or two for this many
        raise yaml.YAMLError(f"more than {LONGEST:,} characters; this is not a file of settings")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except RecursionError:
        raise yaml.YAMLError(f"nested more than {DEEPEST} levels deep") from None
    except ValueError as error:  # a date that does not exist, a number with thousands of digits
        why = "a number has too many digits" if "digits" in str(error) else str(error)
        raise yaml.YAMLError(why) from None
    except (AttributeError, TypeError, LookupError):  # such as !!timestamp x
        raise yaml.YAMLError("a value is not of the type that its tag says; remove the tag") from None


def _check(node: yaml.Node | None, depth: int, sizes: dict[int, int]) -> int:
    """Return the number of values below a node, each alias counted as a copy."""
    if node is None:
        return 0
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise yaml.YAMLError("a section is part of itself")
        return sizes[id(node)]
    if depth > DEEPEST:
        raise yaml.YAMLError(f"nested more than {DEEPEST} levels deep")
    if isinstance(node, yaml.ScalarNode) and _HALF.search(node.value):
        raise yaml.YAMLError(f"line {node.start_mark.line + 1}: half a character; write all of it")
    sizes[id(node)] = 0  # until its size is known, the node is an ancestor of the nodes below it
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node)
        children = [child for pair in node.value for child in pair]
    size = 1 + sum(_check(child, depth + 1, sizes) for child in children)
    if size > MOST_NODES:
        raise yaml.YAMLError(f"more than {MOST_NODES:,} values; aliases count as copies")
    sizes[id(node)] = size
    return size


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.YAMLError(
                f"line {key.start_mark.line + 1}: a key should be a word, not a list or section"
            )
        if (key.tag, key.value) in seen:
            raise yaml.YAMLError(
                f"line {key.start_mark.line + 1}: the key {key.value} is given twice; keep one"
            )
        seen.add((key.tag, key.value))
