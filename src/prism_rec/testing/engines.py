"""The contract of an engine."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from prism_rec.errors import InputError
from prism_rec.features.encoders.encoder import Encoded, Encoder, PictureEncoder
from prism_rec.features.encoders.settings import HashedText, PictureDescriptors
from prism_rec.features.engines.engine import Engine, Part
from prism_rec.features.pictures import open_picture
from prism_rec.testing.checks import undescribed
from prism_rec.testing.encoders import TEXTS, draw_pictures

PART_SIZES = (1, 3, 100)


class Cutting(Encoder):
    """Encodes a text by its length, and cuts it at five letters."""

    encodes = "text"
    fingerprint = "cutting"

    def encode(self, batch: Sequence[str]) -> Encoded:
        """Return the unit vector at an angle of the text's length."""
        angles = np.array([len(text) for text in batch])
        vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        return Encoded(vectors, angles > 5, token_limit=5)


class Failing(Cutting):
    """Fails as an encoder whose model cannot be loaded."""

    def encode(self, batch: Sequence[str]) -> Encoded:
        """Fail."""
        raise InputError("the model cannot be loaded")


class EngineContract:
    """Tests of one engine: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the engine.
    """

    config: Any

    def run(self, encoder: Encoder, contents: Sequence[str | Path], part_size: int = 3) -> list[Part]:
        """Return all parts."""
        return list(cast(Engine, self.config).run(encoder, contents, part_size))

    def test_every_setting_is_described(self) -> None:
        """By a string below it, which help and docs show."""
        assert undescribed(type(self.config)) == []

    def test_settings_come_back(self) -> None:
        """As plain values and back."""
        config = self.config
        assert type(config).parse(config.model_dump(mode="json"), "written and read") == config

    def test_it_runs_here(self) -> None:
        """The tests of a package have what its engine needs."""
        self.config.check()

    def test_every_text_ends_in_one_part_with_its_vector(self) -> None:
        """The part size changes no vector."""
        encoder = HashedText(width=8).build("text", self.config).fit(TEXTS)
        for part_size in PART_SIZES:
            assert_parts(self.run(encoder, TEXTS, part_size), dict(enumerate(encoder.encode(TEXTS).vectors)))

    def test_cut_texts_are_reported(self) -> None:
        """With the limit of the encoder."""
        texts = ["short", "very long", "tiny", "longest of all"]
        parts = self.run(Cutting(), texts)
        truncated = {row: bool(cut) for part in parts for row, cut in zip(part.rows, cuts(part), strict=True)}
        assert truncated == {0: False, 1: True, 2: False, 3: True}
        assert {part.encoded.token_limit for part in parts} == {5}

    def test_every_picture_ends_in_one_part_and_unreadable_files_say_why(self) -> None:
        """An unreadable file stops nothing."""
        encoder = cast(PictureEncoder, PictureDescriptors().build("image", self.config))
        with TemporaryDirectory() as folder:
            paths = draw_pictures(Path(folder))
            (Path(folder) / "page.png").write_text("<html>")
            contents = [paths[0], Path(folder) / "page.png", *paths[1:], Path(folder) / "none.png"]
            ready = [encoder.prepare(open_picture(path)) for path in paths]
            good = [0, *range(2, len(contents) - 1)]
            vectors = dict(zip(good, encoder.encode(ready).vectors, strict=True))
            for part_size in PART_SIZES:
                parts = self.run(encoder, contents, part_size)
                failed = {row: reason for part in parts for row, reason in part.failed.items()}
                assert failed == {1: "not a picture", len(contents) - 1: "no file"}
                assert_parts(parts, vectors)

    def test_errors_of_an_encoder_come_in_one_line(self) -> None:
        """They are errors of the input, not of a worker."""
        try:
            self.run(Failing(), TEXTS)
        except InputError as error:
            assert str(error) == "the model cannot be loaded"  # noqa: PT017 - the package works without pytest
        else:
            raise AssertionError("the error of the encoder was lost")


def cuts(part: Part) -> np.ndarray:
    """Return which contents of a part were cut."""
    return np.zeros(len(part.rows), bool) if part.encoded.truncated is None else part.encoded.truncated


def assert_parts(parts: Sequence[Part], expected: dict[int, np.ndarray]) -> None:
    """Check that every row is in one part, with its vector."""
    assert sorted(row for part in parts for row in part.rows) == sorted(expected)
    for part in parts:
        assert len(part.rows) == len(part.encoded.vectors)
        for row, vector in zip(part.rows, part.encoded.vectors, strict=True):
            np.testing.assert_allclose(vector, expected[row], atol=1e-6)
