"""Several files as one log: named one by one, by a pattern, or by their folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from prism_rec.errors import DataError


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str | Path) else value


Paths = Annotated[tuple[Path, ...], Field(min_length=1), BeforeValidator(_as_list)]
"""One path or several."""


def expand(paths: Iterable[Path], endings: Iterable[str]) -> tuple[Path, ...]:
    """Return the files that paths name.

    A folder names all files in it and in its subfolders that have one of the endings, in the order of their names;
    hidden files and those whose name begins with `_` are not read. A path with `*`, `?` or `[` is a pattern unless
    there is such a file.

    Args:
        paths: files, folders and patterns.
        endings: such as `.csv`, also with `.gz` after it.

    Raises:
        DataError: a folder or pattern without such files, or a file that is named twice.
    """
    files: list[Path] = []
    for path in paths:
        files += _expand_one(path, tuple(endings))
    seen: set[Path] = set()
    for file in files:
        real = file.resolve()
        if real in seen:
            raise DataError(f"{file} is named twice; name each file once")
        seen.add(real)
    return tuple(files)


def _expand_one(path: Path, endings: tuple[str, ...]) -> list[Path]:
    if path.is_dir():
        found = sorted(
            file for file in path.rglob("*") if _is_visible(file, path) and _has_ending(file, endings)
        )
        if not found:
            raise DataError(f"{path} has no file {', '.join(endings)}; name the files")
        return found
    if not path.exists() and any(mark in str(path) for mark in "*?["):
        anchor = Path(path.anchor) if path.anchor else Path()
        pattern = str(path.relative_to(path.anchor)) if path.anchor else str(path)
        found = sorted(file for file in anchor.glob(pattern) if _is_visible(file, file.parent))
        if not found:
            raise DataError(f"{path}: no file has such a name; check the pattern")
        return found
    return [path]


def _is_visible(file: Path, folder: Path) -> bool:
    return file.is_file() and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)


def _has_ending(file: Path, endings: tuple[str, ...]) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(endings)
