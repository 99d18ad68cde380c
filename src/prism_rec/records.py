"""The record of a stage folder: what a stage may write there, or wrote; with a hash of the record itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prism_rec.errors import DamagedError, FolderError
from prism_rec.files import write_text_atomically

MANIFEST = "manifest.json"
UNFINISHED = "unfinished.json"


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the manifest, or the record of an unfinished folder; None if the folder has neither.

    A manifest that was changed is accepted here, so that its stage can make the folder again.
    """
    for name in (UNFINISHED, MANIFEST):
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UnicodeDecodeError:
            text = ""
        try:
            record = json.loads(text)
        except ValueError:
            raise DamagedError(f"{folder / name} is not readable JSON; name another folder") from None
        if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
            raise FolderError(f"{folder / name} is not a manifest of prism-rec; name an empty folder")
        return record
    return None


def changed_record(folder: Path) -> Path | None:
    """Return the record that `read_record` reads if it was changed after it was written."""
    for name in (UNFINISHED, MANIFEST):
        if (folder / name).exists():
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
            return None if is_sealed(text) else folder / name
    return None


_SEAL = re.compile(r',\n  "sha256": "([0-9a-f]{64})"\n}\n\Z')
"""The end of a record: the hash of the text before it."""


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record, with the hash of its text at the end."""
    content = {key: value for key, value in record.items() if key != "sha256"}
    text = json.dumps(content, indent=2, ensure_ascii=False).removesuffix("\n}")
    seal = hashlib.sha256(text.encode()).hexdigest()
    write_text_atomically(path, f'{text},\n  "sha256": "{seal}"\n}}\n')


def is_sealed(text: str) -> bool:
    """Return whether the text of a record is as `write_record` wrote it."""
    seal = _SEAL.search(text)
    return seal is not None and hashlib.sha256(text[: seal.start()].encode()).hexdigest() == seal[1]


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest as it was written.

    Raises:
        FolderError: it is of another program.
        DamagedError: it was changed.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
        manifest = json.loads(text)
    except ValueError:
        raise DamagedError(f"{path} is not readable JSON; make the folder again under another name") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise FolderError(f"{path} is not a manifest of prism-rec; name an empty folder")
    if not is_sealed(text):
        raise DamagedError(f"{path} was changed after it was written; run {manifest.get('stage')} again")
    return manifest
