"""Pictures of one colour with a mark in the middle: without the mark, a picture counts as a placeholder."""

from typing import Any

from PIL import Image, ImageColor


def plain(mode: str, size: tuple[int, int], colour: Any = 0) -> Image.Image:
    """Return a picture of a colour, the middle half of which is of another one."""
    image = Image.new(mode, size, colour)
    value = ImageColor.getrgb(colour) if isinstance(colour, str) else colour
    other = tuple(255 - part for part in value) if isinstance(value, tuple) else 255 - value
    if mode == "P":
        other = 1
    width, height = size
    image.paste(other, (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    return image
