"""Options of the form NAME=VALUE that may be given several times."""

from prism_rec.errors import InputError


def parse_pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Return the values by name.

    Raises:
        InputError: a text without name, `=` or value, or a name given twice.
    """
    pairs: dict[str, str] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise InputError(f"{option} {text}: write it as NAME=VALUE")
        if name in pairs:
            raise InputError(f"{option} {text}: {name!r} is given twice; leave one out")
        pairs[name] = value
    return pairs
