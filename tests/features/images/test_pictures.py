"""Bytes to checked pictures: every kind of picture, and what is none."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from features.drawn import plain
from features.images.picture_server import draw, draw_bomb
from prism_rec.features.images.outcome import Failure, Picture
from prism_rec.features.images.pictures import PictureStore, quiet_decoders

RED, GREEN, WHITE = (254, 0, 0), (0, 128, 0), (255, 255, 255)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PictureStore]:
    (tmp_path / "partial").mkdir()
    with quiet_decoders():
        yield PictureStore(tmp_path, size=32, max_pixels=1_000_000)


def encode(image: Image.Image, kind: str, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def read_back(store: PictureStore, picture: Picture) -> Image.Image:
    with Image.open(store.folder / picture.file) as image:
        image.load()
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert not image.getexif()
    assert (store.folder / picture.file).stat().st_size == picture.stored
    return image


def corner(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    return image.getpixel((x % image.width, y % image.height))


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "MPO", "TIFF", "JPEG2000"])
def test_every_format_becomes_a_small_jpeg(store: PictureStore, kind: str) -> None:
    picture = store.store(encode(plain("RGB", (90, 60), GREEN), kind))
    image = read_back(store, picture)
    assert (picture.width, picture.height) == (90, 60)
    assert image.size == (48, 32)
    assert near(corner(image), GREEN)


@pytest.mark.parametrize("kind", ["ICO", "PPM", "EPS", "TGA"])
def test_a_format_outside_the_list_is_not_a_picture(store: PictureStore, kind: str) -> None:
    with pytest.raises(Failure, match="not-a-picture"):
        store.store(encode(plain("RGB", (32, 32), GREEN), kind))


def test_a_small_picture_is_not_enlarged(store: PictureStore) -> None:
    assert read_back(store, store.store(draw(1, (20, 70)))).size == (20, 70)


def test_a_large_jpeg_is_shrunk_while_decoding_and_told_in_full(store: PictureStore) -> None:
    picture = store.store(encode(plain("RGB", (1000, 800), GREEN), "JPEG"))
    assert (picture.width, picture.height) == (1000, 800)
    assert read_back(store, picture).size == (40, 32)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_camera_held_in_any_way_gives_an_upright_picture(store: PictureStore, turn: int) -> None:
    """Turn an upright picture with one red corner the way `turn` says, and expect it back."""
    upright = plain("RGB", (64, 48), GREEN)
    upright.paste(RED, (0, 0, 24, 16))
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    taken = upright.transpose(inverse[turn]) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = store.store(encode(taken, "JPEG", exif=exif, quality=95, subsampling=0))
    image = read_back(store, picture)
    assert (picture.width, picture.height) == (64, 48)
    assert image.size == (43, 32)
    assert near(corner(image, 1, 1), RED)
    assert near(corner(image, -1, 1), GREEN)
    assert near(corner(image, 1, -1), GREEN)


def test_broken_camera_notes_make_no_broken_picture(store: PictureStore) -> None:
    notes = b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + b"\x99" * 40
    read_back(store, store.store(encode(plain("RGB", (40, 40), GREEN), "JPEG", exif=notes)))


def test_transparency_becomes_white(store: PictureStore) -> None:
    clear = plain("RGBA", (40, 40), (255, 0, 0, 0))
    palette = plain("P", (40, 40), 0)
    palette.putpalette([255, 0, 0, 0, 128, 0])
    for body in (
        encode(clear, "PNG"),
        encode(clear, "WEBP", lossless=True),
        encode(plain("LA", (40, 40), (255, 0)), "PNG"),
        encode(palette, "PNG", transparency=0),
        encode(palette, "GIF", transparency=0),
    ):
        assert near(corner(read_back(store, store.store(body))), WHITE)


def test_other_colour_models_become_rgb(store: PictureStore) -> None:
    for mode, colour, wanted in (
        ("CMYK", (0, 254, 254, 0), RED),
        ("L", 100, (100, 100, 100)),
        ("YCbCr", Image.new("RGB", (1, 1), GREEN).convert("YCbCr").getpixel((0, 0)), GREEN),
    ):
        picture = store.store(encode(plain(mode, (40, 40), colour), "JPEG", quality=95))
        assert near(corner(read_back(store, picture)), wanted)


def test_sixteen_bits_are_scaled_not_clipped(store: PictureStore) -> None:
    values = np.full((40, 40), 2**15, dtype=np.uint16)
    values[10:30, 10:30] = 0
    grey = Image.fromarray(values)
    assert near(corner(read_back(store, store.store(encode(grey, "PNG")))), (128, 128, 128))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(store: PictureStore, kind: str) -> None:
    frames = [plain("RGB", (40, 40), colour) for colour in (GREEN, RED)]
    body = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert near(corner(read_back(store, store.store(body))), GREEN)


def test_the_same_bytes_give_the_same_file_once(store: PictureStore) -> None:
    assert store.store(draw(3)) == store.store(draw(3))
    assert len(list(store.folder.rglob("*.jpg"))) == 1
    assert not list((store.folder / "partial").iterdir())


def test_too_many_pixels_are_refused_undecoded(store: PictureStore) -> None:
    for body in (
        draw_bomb(),
        encode(plain("1", (70_000, 8)), "PNG"),
        encode(plain("1", (1001, 1000)), "PNG"),
    ):
        with pytest.raises(Failure, match="too-many-pixels") as caught:
            store.store(body)
        assert not caught.value.may_pass
    store.store(encode(plain("1", (1000, 1000)), "PNG"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_cut_picture_may_pass_only_if_the_cut_may_be_the_line_s(store: PictureStore, kind: str) -> None:
    body = draw(5, kind=kind)[:-400]
    for framed, reason in ((True, "damaged"), (False, "truncated")):
        with pytest.raises(Failure, match=reason) as caught:
            store.store(body, framed=framed)
        assert caught.value.may_pass is not framed
    assert not list(store.folder.rglob("*.jpg"))


@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"]),
    place=st.floats(0, 1),
    noise=st.binary(min_size=1, max_size=8),
)
@settings(max_examples=60)
def test_any_bytes_give_a_picture_or_a_failure(
    tmp_path_factory: pytest.TempPathFactory, kind: str, place: float, noise: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "partial").mkdir()
    store = PictureStore(folder, size=32, max_pixels=1_000_000)
    body = bytearray(draw(9, kind=kind))
    start = int(place * (len(body) - 1))
    body[start : start + len(noise)] = noise
    reason = None
    with quiet_decoders():
        try:
            read_back(store, store.store(bytes(body)))
        except Failure as failure:
            reason = failure.reason
    assert str(reason).startswith("format-") or reason in {
        None,
        "not-a-picture",
        "damaged",
        "too-many-pixels",
        "too-small",
        "too-oblong",
        "one-colour",
    }
