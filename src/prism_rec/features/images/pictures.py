"""Bytes to a checked picture in the folder: sniffed, decoded whole, upright, as large as an encoder needs."""

import hashlib
import io
import math
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from prism_rec.features.images.outcome import Failure, Picture

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_LONGEST_SIDE = 65_500  # of a JPEG
_QUALITY = 90


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Silence Pillow's warnings about single pictures, in all threads; each is an outcome in the table."""
    with warnings.catch_warnings():
        for kind in (Image.DecompressionBombWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield


@dataclass(frozen=True, slots=True)
class PictureStore:
    """Stores pictures under names made from their content; each is written aside and moved into place whole.

    Args:
        folder: the stage's folder; `folder / "partial"` exists.
        size: shorter side of a stored picture in pixels; a smaller one is not enlarged.
        max_pixels: width times height from which on a picture is refused undecoded.
    """

    folder: Path
    size: int
    max_pixels: int

    def store(self, body: bytes, *, framed: bool = True) -> Picture:
        """Check, decode, resize and store one picture. The same bytes give the same file.

        Args:
            body: the source's bytes; what they are is decided by themselves alone, not by name or header.
            framed: whether the length of `body` is known to be right, so that a cut is the source's own.

        Raises:
            Failure: `not-a-picture`, `too-many-pixels`, `damaged`, or `truncated` (which may pass).
            OSError: the folder cannot be written.
        """
        image = self._open(body)
        try:
            width, height, image = _decode(image, self.size)
        except Image.DecompressionBombError:
            raise Failure("too-many-pixels") from None
        except Exception:
            # Decoders fail on hostile bytes with errors of every kind; whichever it is, no whole picture.
            raise (Failure("damaged") if framed else Failure("truncated", may_pass=True)) from None
        digest = hashlib.sha256(body).hexdigest()
        file = f"pictures/{digest[:2]}/{digest}.jpg"
        stored = self._write(file, image)
        return Picture(file, digest, len(body), width, height, stored)

    def _open(self, body: bytes) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(body), formats=FORMATS)
        except Image.DecompressionBombError:
            raise Failure("too-many-pixels") from None
        except Exception:  # see `store`; what a decoder will not even open is none of its pictures
            raise Failure("not-a-picture") from None
        if math.prod(image.size) > self.max_pixels or max(image.size) > _LONGEST_SIDE:
            raise Failure("too-many-pixels")
        return image

    def _write(self, file: str, image: Image.Image) -> int:
        """Encode a picture into its place and return the file's length."""
        path = self.folder / file
        partial = self.folder / "partial" / f"{path.stem}.{threading.get_ident()}"
        with partial.open("wb") as opened:
            image.save(opened, "JPEG", quality=_QUALITY)  # to a file, for which Pillow frees the interpreter
            stored = os.fstat(opened.fileno()).st_size
        try:
            os.replace(partial, path)
        except FileNotFoundError:  # the first picture of these 256
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial, path)
        return stored


def _decode(image: Image.Image, size: int) -> tuple[int, int, Image.Image]:
    """Return the source's upright width and height, and its first frame as RGB of `size` at most."""
    width, height = image.size
    # A JPEG decodes straight to a half, a quarter or an eighth; down to twice the goal nothing is lost by it.
    image.draft("RGB", (2 * size, 2 * size))
    image.load()
    shape = image.size
    _turn_upright(image)
    if image.size != shape:
        width, height = height, width
    image = _to_plain_colours(image)
    shrink = size / min(image.size)
    if shrink < 1:
        goal = (max(size, round(image.width * shrink)), max(size, round(image.height * shrink)))
        image = image.resize(goal, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return width, height, _on_white(image)


def _turn_upright(image: Image.Image) -> None:
    # Broken camera notes make no broken picture. Their parser, too, fails in every way.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _to_plain_colours(image: Image.Image) -> Image.Image:
    """Return a picture of any colour model as RGB, or RGBA if some of it is transparent."""
    if image.mode.startswith("I"):  # 16 bits a channel, which a plain conversion would clip
        image = image.point(lambda value: value / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
