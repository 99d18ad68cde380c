"""Opens a picture file as the encoders need it, or says why it cannot be opened."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_PIXELS = 100_000_000
_MOST_BYTES = 100_000_000
_MOST_OBLONG = 50


class UnreadablePictureError(ValueError):
    """A file that is not a picture, or too large; the message is the reason in a few words."""


def open_picture(path: Path) -> "Image":
    """Return a fully decoded RGB picture, upright by its EXIF tag, transparent parts white.

    Raises:
        UnreadablePictureError: no file, not a picture, cut short, over 100 MB, over 100 million pixels, or more
            than 50 times as long as wide.
    """
    from PIL import Image, ImageOps

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnreadablePictureError("too many bytes")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow warns about odd metadata, and about sizes that are checked here
            with Image.open(path) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise UnreadablePictureError("too many pixels")
                if max(picture.size) > _MOST_OBLONG * min(picture.size):
                    raise UnreadablePictureError(
                        "too oblong"
                    )  # scaled by its short side it would become huge
                return _flatten(ImageOps.exif_transpose(picture))
    except UnreadablePictureError:
        raise
    except FileNotFoundError:
        raise UnreadablePictureError("no file") from None
    except Exception as error:  # on damaged bytes decoders raise exceptions of any class
        raise UnreadablePictureError(f"unreadable ({type(error).__name__})") from None


def _flatten(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode == "RGB":
        picture.load()
        return picture
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
