"""Raw logs of every source that are damaged, odd or hostile."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fuzz.damages import DAMAGES
from fuzz.good_dumps import GOOD, Good
from fuzz.odd_tables import odd_parquet, odd_texts
from fuzz.world import Case
from prism_rec.data.sources import Source
from prism_rec.data.split import Given, LeaveOneOut, NoSplit
from prism_rec.plugins import choose
from prism_rec.stages.prepare import Prepare, prepare


class Dump(NamedTuple):
    """The files of a dump and the settings of its source, which name files without their folder."""

    files: Mapping[str, bytes]
    settings: Mapping[str, Any]


Made = tuple[str, Callable[[], Dump]]
"""A dump that is not made yet, and its name."""


def damaged() -> list[Made]:
    """Return every right dump, and every damage of it."""
    found: list[Made] = []
    for name, good in GOOD.items():
        found.append((name, partial(Dump, good.files, good.settings)))
        found += [(f"{name}, {damage}", partial(_damaged, good, damage)) for damage in DAMAGES]
    return found


def dumps() -> list[Made]:
    """Return all dumps: those of `damaged`, and tables of events that are odd or hostile."""
    found = damaged()
    for ending, odd in (("parquet", odd_parquet()), ("csv", odd_texts())):
        file, settings = f"log.{ending}", {"kind": "table", "interactions": f"log.{ending}"}
        found += [(f"{ending}, {name}", partial(Dump, {file: body}, settings)) for name, body in odd.items()]
    return found


def cases(folder: Path, made: Sequence[Made]) -> list[Case]:
    """Write dumps and return how each is prepared; those of equal files and settings are there once."""
    found: dict[str, Case] = {}
    for number, (name, make) in enumerate(made):
        dump = make()
        content = hashlib.sha256(str(dump.settings).encode())
        for file, body in dump.files.items():
            content.update(file.encode() + hashlib.sha256(body).digest())
        if content.hexdigest() in found:
            continue
        place = folder / str(number)
        for file, body in dump.files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(body)
        found[content.hexdigest()] = Case(f"dump {name}", partial(read_dump, place, dict(dump.settings)))
    return list(found.values())


def _damaged(good: Good, damage: str) -> Dump:
    changed = {good.damaged: DAMAGES[damage](good.files[good.damaged])}
    return Dump({**good.files, **changed}, good.settings)


def read_dump(place: Path, settings: Mapping[str, Any]) -> None:
    """Prepare a dump as the command does, with its card."""
    source = {key: _placed(place, value) for key, value in settings.items()}
    split = {"given": Given(), "leave-one-out": LeaveOneOut()}.get(source.pop("split", ""), NoSplit())
    prepare(Prepare(source=choose(Source, source, "source"), split=split), place / "out")


def _placed(place: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_placed(place, one) for one in value]
    return place / value if isinstance(value, str) and (value == "." or (place / value).exists()) else value
