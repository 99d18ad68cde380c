"""Bytes -> a checked picture in the folder: recognised, completely decoded, upright, as large as an encoder needs."""

import hashlib
import io
import math
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from prism_rec.features.images.outcome import Failure, Picture
from prism_rec.files import hash_file
from prism_rec.folders import refuse_links

PARTIAL = "partial"
"""The folder of pictures that are being written."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_LONGEST_SIDE = 65_500  # of a JPEG
_QUALITY = 90


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
            Failure: `not-a-picture`, `too-many-pixels`, `damaged`, or `truncated` (which may pass).
            OSError: the folder cannot be written.
        """
        image = self._open(body)
        try:
            width, height, image = _decode(image, self.size)
        except Image.DecompressionBombError:
            raise Failure("too-many-pixels") from None
        except Exception:
            # On hostile bytes decoders raise exceptions of any class; all of them mean that there is no picture.
            raise (Failure("damaged") if framed else Failure("truncated", may_pass=True)) from None
        digest = hashlib.sha256(body).hexdigest()
        file = f"pictures/{digest[:2]}/{digest}.jpg"
        stored = self._write(file, image)
        return Picture(file, digest, len(body), width, height, *stored)

    def _open(self, body: bytes) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(body), formats=FORMATS)
        except Image.DecompressionBombError:
            raise Failure("too-many-pixels") from None
        except Exception:  # see `store`; a decoder does not open bytes of other formats
            raise Failure("not-a-picture") from None
        if math.prod(image.size) > self.max_pixels or max(image.size) > _LONGEST_SIDE:
            raise Failure("too-many-pixels")
        return image

    def _write(self, file: str, image: Image.Image) -> tuple[int, str]:
        """Write a picture to its place and return length and hash of the file."""
        path = self.folder / file
        refuse_links(self.folder, file)
        partial = self.folder / PARTIAL / f"{path.stem}.{threading.get_ident()}"
        with partial.open("wb") as opened:
            image.save(
                opened, "JPEG", quality=_QUALITY
            )  # to a real file, so that Pillow releases the interpreter's lock
            length = os.fstat(opened.fileno()).st_size
        stored = length, hash_file(partial)
        try:
            os.replace(partial, path)
        except FileNotFoundError:  # the first picture of its folder
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial, path)
        return stored


def _decode(image: Image.Image, size: int) -> tuple[int, int, Image.Image]:
    """Return the upright width and height of the source, and its first frame as RGB, reduced to `size`."""
    width, height = image.size
    # A JPEG can be decoded at a half, a quarter or an eighth of its size; down to twice the goal nothing is lost.
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
    # A picture with broken camera notes is still good. Their parser raises exceptions of any class.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _to_plain_colours(image: Image.Image) -> Image.Image:
    """Return a picture of any colour model as RGB, or as RGBA if a part is transparent."""
    if image.mode.startswith("I"):  # 16 bits per channel, which a plain conversion would clip
        image = image.point(lambda value: value / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
