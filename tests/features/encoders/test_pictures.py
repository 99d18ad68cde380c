import io

import numpy as np
import pytest
from PIL import Image

from prism_rec.features.encoders import pictures
from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder
from prism_rec.features.encoders.pictures import UnreadablePictureError, open_picture


def describe(*drawn: Image.Image) -> np.ndarray:
    encoder = PictureDescriptorEncoder()
    return encoder.encode([encoder.prepare(picture) for picture in drawn]).vectors


def stripes(period: int, upright: bool) -> Image.Image:
    line = (np.arange(64) // period % 2 * 255).astype(np.uint8)
    grey = np.broadcast_to(line[None, :] if upright else line[:, None], (64, 64))
    return Image.fromarray(np.stack([grey] * 3, axis=2))


def test_colour_and_direction_tell_pictures_apart():
    red, dark_red, blue = (Image.new("RGB", (50, 40), colour) for colour in ("#f00000", "#e01010", "blue"))
    vectors = describe(red, dark_red, blue, stripes(8, True), stripes(8, False), stripes(9, True))
    likeness = vectors @ vectors.T
    np.testing.assert_allclose(np.diag(likeness), 1, atol=1e-5)
    assert likeness[0, 1] > 0.9 > 0.1 > likeness[0, 2]
    assert likeness[3, 5] > likeness[3, 4] + 0.2


def test_a_gradient_falls_into_the_bin_of_its_direction():
    ramp = Image.fromarray(np.stack([np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))] * 3, axis=2))
    cells = describe(ramp)[0, :576].reshape(64, 9)
    assert np.all(cells[:, 0] > 0)
    assert not cells[:, 1:].any()


def test_neighbours_in_the_batch_change_nothing():
    drawn = [stripes(4, True), Image.new("RGB", (9, 9), "green"), stripes(7, False)]
    np.testing.assert_array_equal(describe(*drawn)[1:2], describe(drawn[1]))


def test_picture_is_turned_upright_and_laid_on_white(tmp_path):
    turned, clear = tmp_path / "turned.jpg", tmp_path / "clear.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.new("RGB", (20, 10), "red").save(turned, exif=exif)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(clear)
    assert open_picture(turned).size == (10, 20)
    assert open_picture(clear).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F"])
def test_every_pixel_format_becomes_rgb(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    Image.new("L", (6, 5), 200).convert(mode if mode != "I;16" else "I").save(path)
    assert (open_picture(path).mode, open_picture(path).size) == ("RGB", (6, 5))


def test_unreadable_files_say_why(tmp_path, monkeypatch):
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "PNG")
    page, cut, picture = (tmp_path / name for name in ("page.jpg", "cut.png", "whole.png"))
    page.write_text("<html>not found</html>")
    cut.write_bytes(whole.getvalue()[:2000])
    picture.write_bytes(whole.getvalue())
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 64 * 64 - 1)
    for path, reason in [
        (page, "unreadable"),
        (tmp_path / "none.png", "no file"),
        (picture, "too many pixels"),
    ]:
        with pytest.raises(UnreadablePictureError, match=reason):
            open_picture(path)
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 64 * 64)
    with pytest.raises(UnreadablePictureError, match="unreadable"):
        open_picture(cut)
    monkeypatch.setattr(pictures, "_MOST_BYTES", 1999)
    with pytest.raises(UnreadablePictureError, match="too many bytes"):
        open_picture(cut)
