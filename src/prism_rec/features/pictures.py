"""The one way to read a picture: bytes -> an upright RGB picture on white, as large as an encoder needs.

The stage images stores pictures in this form, and files of any other folder are brought into it when they are read. So
the same picture has the same vector either way.
"""

import io
import math
import warnings
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "TIFF", "JPEG2000")
ENDINGS = (
    *(
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".avif",
        ".tif",
        ".tiff",
        ".jp2",
        ".j2k",
    ),
    *(".jpf", ".jpx", ".heic", ".heif", ".svg", ".psd"),
)
"""Endings of files that should be pictures; for formats that are not read, the reason is given."""
SIZE = 224
"""Shorter side in pixels that a picture is reduced to, if the stage images is not told another one."""
MOST_PIXELS = 50_000_000
SMALLEST_SIDE = 16
"""A picture with a shorter side says nothing: servers send such placeholders for "no picture"."""

_LONGEST_SIDE = 65_500  # of a JPEG
_MOST_BYTES = 100_000_000
_MOST_OBLONG = 50  # scaled by its short side, such a picture would become huge
_QUALITY = 90
_STORED = b"prism-rec: stored picture"
_NEARLY_ONE_COLOUR = 8
"""Difference of the brightest and the darkest pixel, of 255, that is noise and not content."""
_NOT_READ = {b"ftyphei": "heic", b"<svg": "svg", b"%PDF": "pdf", b"8BPS": "psd"}


class NoPictureError(ValueError):
    """Bytes that give no picture.

    Args:
        reason: one hyphenated word: `not-a-picture`, `format-heic`, `damaged`, `too-small`, `one-colour`, ...
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason.replace("-", " "))
        self.reason = reason


def read_picture(body: bytes, size: int = SIZE, max_pixels: int = MOST_PIXELS) -> tuple[int, int, "Image"]:
    """Return the upright width and height of the source, and its first frame as RGB, reduced to `size`.

    Args:
        body: the bytes of the source; only they decide the format, not a name or header.
        size: shorter side in pixels; a smaller picture is not enlarged.
        max_pixels: a picture with more pixels is refused before it is decoded.

    Raises:
        NoPictureError: the bytes give no picture that could say anything about an item.
    """
    from PIL import Image

    image = _open(body, max_pixels)
    try:
        width, height, image = _decode(image, size)
    except Image.DecompressionBombError:
        raise NoPictureError("too-many-pixels") from None
    except Exception:  # on hostile bytes decoders raise exceptions of any class
        raise NoPictureError("damaged") from None
    if np.ptp(np.asarray(image), axis=(0, 1)).max() <= _NEARLY_ONE_COLOUR:
        raise NoPictureError("one-colour")
    return width, height, image


def write_picture(image: "Image", file: IO[bytes]) -> None:
    """Write a picture from `read_picture` in the form in which pictures are stored."""
    image.save(file, "JPEG", quality=_QUALITY, comment=_STORED)


def open_picture(path: Path) -> "Image":
    """Return the picture of a file in the form in which pictures are stored.

    Raises:
        NoPictureError: no file, over 100 MB, or see `read_picture`.
    """
    try:
        with path.open("rb") as file:
            body = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise NoPictureError("no-file") from None
    except OSError:
        raise NoPictureError("unreadable-file") from None
    if len(body) > _MOST_BYTES:
        raise NoPictureError("too-many-bytes")
    with warnings.catch_warnings():
        # Pillow warns about odd metadata, and about sizes that are checked here.
        warnings.simplefilter("ignore")
        image = _open(body, MOST_PIXELS)
        if image.info.get("comment") != _STORED:
            stored = io.BytesIO()
            write_picture(read_picture(body, SIZE, MOST_PIXELS)[2], stored)
            image = _open(stored.getvalue(), MOST_PIXELS)
        try:
            return image.convert("RGB")
        except Exception:  # see `read_picture`
            raise NoPictureError("damaged") from None


def _open(body: bytes, max_pixels: int) -> "Image":
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
    except Image.DecompressionBombError:
        raise NoPictureError("too-many-pixels") from None
    except Exception:  # a decoder does not open bytes of other formats; see `read_picture`
        other = next((name for mark, name in _NOT_READ.items() if mark in body[:200]), None)
        raise NoPictureError(f"format-{other}" if other else "not-a-picture") from None
    if math.prod(image.size) > max_pixels or max(image.size) > _LONGEST_SIDE:
        raise NoPictureError("too-many-pixels")
    if min(image.size) < SMALLEST_SIDE:
        raise NoPictureError("too-small")
    if max(image.size) > _MOST_OBLONG * min(image.size):
        raise NoPictureError("too-oblong")
    return image


def _decode(image: "Image", size: int) -> tuple[int, int, "Image"]:
    from PIL.Image import Resampling

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
        image = image.resize(goal, Resampling.BICUBIC, reducing_gap=2.0)
    return width, height, _on_white(image)


def _turn_upright(image: "Image") -> None:
    from PIL import ImageOps

    # A picture with broken camera notes is still good. Their parser raises exceptions of any class.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _to_plain_colours(image: "Image") -> "Image":
    """Return a picture of any colour model as RGB, or as RGBA if a part is transparent."""
    if image.mode.startswith("I"):  # 16 bits per channel, which a plain conversion would clip
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode == "F" and np.asarray(image).max() <= 1:  # shares, which would become black
        image = image.point(lambda value: value * 255 + 0).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: "Image") -> "Image":
    from PIL import Image

    if image.mode == "RGB":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
