import numpy as np
from PIL import Image

from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder


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
