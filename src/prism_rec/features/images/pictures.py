"""Bytes -> a checked picture in the folder: recognised, completely decoded, upright, as large as an encoder needs."""

import hashlib
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from prism_rec.features.images.outcome import Failure, Picture
from prism_rec.features.pictures import NoPictureError, read_picture, write_picture
from prism_rec.files import hash_file
from prism_rec.folders import refuse_links

PARTIAL = "partial"
"""The folder of pictures that are being written."""


def remove_partial(folder: Path) -> None:
    """Delete the pictures that a killed run was writing, and nothing else."""
    for path in folder.iterdir():
        if re.fullmatch(r"[0-9a-f]{64}\.\d+", path.name) and path.is_file() and not path.is_symlink():
            path.unlink()


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Silence Pillow's warnings about single pictures in all threads; their outcomes are in the table."""
    with warnings.catch_warnings():
        for kind in (Image.DecompressionBombWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield


@dataclass(frozen=True, slots=True)
class PictureStore:
    """Stores pictures under names made from their content; each is written to `partial/` and moved when complete.

    Unlike other files of stages, a picture is not forced to the disk, because thousands of small files would each wait
    for it. After a crash of the machine the journal finds pictures that were cut by their length.

    Args:
        folder: the stage's folder; `folder / "partial"` exists.
        size: shorter side of a stored picture in pixels; a smaller picture is not enlarged.
        max_pixels: a picture with more pixels is refused before it is decoded.
    """

    folder: Path
    size: int
    max_pixels: int

    def store(self, body: bytes, *, framed: bool = True) -> Picture:
        """Check, decode, resize and store one picture. The same bytes give the same file.

        Args:
            body: the bytes of the source; only they decide the format, not a name or header.
            framed: whether the length of `body` is known to be right; then a cut picture is cut at its source.

        Raises:
            Failure: `truncated` (which may pass), or a reason of `NoPictureError`.
            OSError: the folder cannot be written.
        """
        try:
            width, height, image = read_picture(body, self.size, self.max_pixels)
        except NoPictureError as error:
            if error.reason == "damaged" and not framed:
                raise Failure("truncated", may_pass=True) from None
            raise Failure(error.reason) from None
        digest = hashlib.sha256(body).hexdigest()
        file = f"pictures/{digest[:2]}/{digest}.jpg"
        stored = self._write(file, image)
        return Picture(file, digest, len(body), width, height, *stored)

    def _write(self, file: str, image: Image.Image) -> tuple[int, str]:
        """Write a picture to its place and return length and hash of the file."""
        path = self.folder / file
        refuse_links(self.folder, file)
        partial = self.folder / PARTIAL / f"{path.stem}.{threading.get_ident()}"
        with partial.open("wb") as opened:
            write_picture(image, opened)  # to a real file, so that Pillow releases the interpreter's lock
            length = os.fstat(opened.fileno()).st_size
        stored = length, hash_file(partial)
        try:
            os.replace(partial, path)
        except FileNotFoundError:  # the first picture of its folder
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial, path)
        return stored
