"""The one way to read a picture: what is read, what is none and why, and that both ways give the same picture."""

import io

import numpy as np
import pytest
from PIL import Image

from features.drawn import plain
from prism_rec.features import pictures
from prism_rec.features.images.pictures import PictureStore
from prism_rec.features.pictures import NoPictureError, open_picture, read_picture


def encode(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "JPEG2000", "AVIF", "BMP"])
@pytest.mark.parametrize("size", [(300, 500), (40, 30)])
def test_a_file_and_a_stored_picture_are_read_alike(tmp_path, kind, size):
    body = encode(noise(*size), kind)
    (tmp_path / "raw").write_bytes(body)
    (tmp_path / "partial").mkdir()
    stored = PictureStore(tmp_path, pictures.SIZE, pictures.MOST_PIXELS).store(body)
    one, other = open_picture(tmp_path / "raw"), open_picture(tmp_path / stored.file)
    assert one.mode == other.mode == "RGB"
    assert one.size == ((224, 373) if size[0] == 300 else size)
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_picture_is_turned_upright_and_laid_on_white(tmp_path):
    turned, clear = tmp_path / "turned.jpg", tmp_path / "clear.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    plain("RGB", (40, 20), "red").save(turned, exif=exif)
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 30, 30))
    image.save(clear)
    assert open_picture(turned).size == (20, 40)
    assert open_picture(clear).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F"])
def test_every_pixel_format_becomes_rgb(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    grey = plain("L", (26, 25), 200)
    values = np.asarray(grey, np.uint16) * 256
    image = Image.fromarray(values) if mode == "I;16" else grey.convert(mode)
    image.save(path)
    found = open_picture(path)
    assert (found.mode, found.size) == ("RGB", (26, 25))
    assert abs(found.getpixel((2, 2))[0] - (255 if mode == "1" else 200)) <= 60


def test_shares_are_scaled():
    values = np.zeros((20, 20), np.float32)
    values[5:15, 5:15] = 0.5
    image = read_picture(encode(Image.fromarray(values), "TIFF"))[2]
    assert image.getpixel((10, 10)) == (127, 127, 127)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (encode(Image.new("P", (1, 1)), "GIF"), "too-small"),
        (encode(noise(15, 100), "PNG"), "too-small"),
        (encode(Image.new("RGB", (300, 200), "white"), "JPEG"), "one-colour"),
        (encode(Image.new("RGBA", (64, 64), (9, 200, 3, 0)), "PNG"), "one-colour"),
        (encode(noise(16, 16 * 51), "PNG"), "too-oblong"),
        (encode(noise(64, 64), "PNG")[:3000], "damaged"),
        (b"<html>not found</html>", "not-a-picture"),
        (b"", "not-a-picture"),
        (b"<?xml version='1.0'?><svg></svg>", "format-svg"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "format-heic"),
    ],
)
def test_what_says_nothing_about_an_item_is_no_picture(body, reason):
    with pytest.raises(NoPictureError) as told:
        read_picture(body)
    assert told.value.reason == reason


def test_the_smallest_picture_is_read():
    assert read_picture(encode(noise(16, 16), "PNG"))[:2] == (16, 16)


def test_files_that_are_too_large_or_missing_say_so(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encode(noise(64, 64), "PNG"))
    monkeypatch.setattr(pictures, "MOST_PIXELS", 64 * 64 - 1)
    with pytest.raises(NoPictureError, match="too many pixels"):
        open_picture(tmp_path / "a.png")
    monkeypatch.setattr(pictures, "_MOST_BYTES", 100)
    with pytest.raises(NoPictureError, match="too many bytes"):
        open_picture(tmp_path / "a.png")
    with pytest.raises(NoPictureError, match="no file"):
        open_picture(tmp_path / "b.png")
