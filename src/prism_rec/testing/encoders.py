"""The contract of an encoder."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from prism_rec.data.embedding_folder import load_embedding
from prism_rec.features.contents import Contents, pictures_of, texts_of
from prism_rec.features.embedding import embed_contents
from prism_rec.features.encoders.encoder import Encoder, Modality, PictureEncoder, Placement
from prism_rec.features.encoders.settings import EncoderSettings
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.pictures import open_picture
from prism_rec.testing.checks import undescribed

TEXTS = [
    "a quiet romance in Paris",
    "Space war among robots and rebels",
    "rebels fight a space war",
    "jazz at night",
    "a baker in Paris",
    "romance and jazz in Paris at night",
]
CLOSE = 2e-5


def draw_pictures(folder: Path) -> list[Path]:
    """Draw six pictures of several shapes into a folder, one of them of two colours."""
    from PIL import Image

    random = np.random.default_rng(0)
    shapes = [(40, 50), (64, 33), (32, 32), (100, 90), (35, 70)]
    drawn = [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]
    paths = [folder / f"{number}.png" for number in range(len(drawn) + 1)]
    plain = Image.new("RGB", (20, 30), "red")
    plain.paste("blue", (5, 5, 15, 15))
    for path, picture in zip(paths, [*drawn, plain], strict=True):
        picture.save(path)
    return paths


class EncoderContract:
    """Tests of one encoder: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the encoder.
        other: settings of the same kind whose vectors differ, so the fingerprint must differ too; None if the kind has
            no such settings.
    """

    config: Any
    other: Any = None

    def encoders(self, placement: Placement | None = None) -> list[Encoder]:
        """Return a new encoder for each modality."""
        settings = cast(EncoderSettings, self.config)
        return [settings.build(modality, placement or Placement()) for modality in settings.modalities]

    def test_it_declares_what_it_encodes(self) -> None:
        """The settings name the modalities; each encoder has one of them and says whether vectors are portable."""
        modalities: Sequence[Modality] = self.config.modalities
        assert modalities
        assert [encoder.encodes for encoder in self.encoders()] == list(modalities)
        assert all(isinstance(encoder.portable, bool) for encoder in self.encoders())

    def test_every_setting_is_described(self) -> None:
        """By a string below it, which help and docs show."""
        assert undescribed(type(self.config)) == []

    def test_settings_come_back(self) -> None:
        """As plain values and back."""
        config = self.config
        assert type(config).parse(config.model_dump(mode="json"), "written and read") == config

    def test_vectors_are_unit_rows_or_zero(self) -> None:
        """They are finite float32 numbers; different contents have different vectors."""
        for vectors in self.encode_all():
            assert vectors.dtype == np.float32
            assert np.isfinite(vectors).all()
            norms = np.linalg.norm(vectors, axis=1)
            assert np.all((norms == 0) | (np.abs(norms - 1) < 1e-4))
            assert len(np.unique(vectors, axis=0)) == len(vectors)

    def test_neither_batch_nor_order_changes_a_vector(self) -> None:
        """After `fit`, the vector of a content depends on that content only."""
        with TemporaryDirectory() as folder:
            for placement in (Placement(batch_size=1), Placement(batch_size=4)):
                for encoder in self.encoders(placement):
                    fitted, ready = self.prepared(encoder, Path(folder))
                    together = fitted.encode(ready).vectors
                    single = [fitted.encode([one]).vectors[0] for one in reversed(ready)]
                    np.testing.assert_allclose(single[::-1], together, rtol=0, atol=CLOSE)

    def test_the_fingerprint_says_which_vectors_are_equal(self) -> None:
        """It depends on the settings, and on the contents if and only if the encoder is not portable."""
        with TemporaryDirectory() as folder:
            for one, two in zip(self.encoders(), self.encoders(Placement(batch_size=1)), strict=True):
                contents = self.contents(one, Path(folder))
                assert one.fit(contents).fingerprint == two.fit(contents[::-1]).fingerprint
                changed = two.fit(contents[1:]).fingerprint != one.fit(contents).fingerprint
                assert changed is not one.portable, "declare portable = False if fit learns from the contents"
                if self.other is not None:
                    other = self.other.build(one.encodes).fit(contents)
                    assert other.fingerprint != one.fit(contents).fingerprint

    def test_an_encoder_that_learns_is_made_again_from_the_contents_that_it_keeps(self) -> None:
        """So that contents that come later get vectors of the same kind."""
        with TemporaryDirectory() as folder:
            for one, two in zip(self.encoders(), self.encoders(), strict=True):
                fitted = one.fit(self.contents(one, Path(folder)))
                assert (fitted.learned_from is None) is one.portable, (
                    "an encoder that learns sets learned_from"
                )
                if fitted.learned_from is not None:
                    assert two.fit(fitted.learned_from).fingerprint == fitted.fingerprint

    def test_texts_without_letters_and_long_texts_are_taken(self) -> None:
        """They get a vector or a zero row, and a text beyond the token limit is reported."""
        for encoder in self.encoders():
            if encoder.encodes != "text":
                continue
            batch = ["!!!", "jazz " * 2000, "jazz"]
            encoded = encoder.fit([*TEXTS, *batch]).encode(batch)
            assert np.isfinite(encoded.vectors).all()
            if encoded.token_limit is not None:
                assert encoded.truncated is not None
                assert encoded.truncated.tolist() == [False, True, False]

    def test_the_stage_gives_the_same_vectors(self) -> None:
        """Also if a worker process prepares the pictures."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            for encoder in self.encoders():
                fitted, ready = self.prepared(encoder, folder)
                contents = self.listed(encoder, folder)
                for workers in (0, 1):
                    out = folder / f"{encoder.encodes}-{workers}"
                    embed_contents(contents, encoder, out, engine=LocalEngine(workers=workers), part_size=4)
                    found, ids = load_embedding(out)
                    assert isinstance(found, np.ndarray)
                    assert ids == [entry.item_id for entry in contents.entries]
                    np.testing.assert_allclose(found, fitted.encode(ready).vectors, rtol=0, atol=CLOSE)

    def encode_all(self) -> list[np.ndarray]:
        """Return the vectors of all contents, for each modality."""
        with TemporaryDirectory() as folder:
            prepared = [self.prepared(encoder, Path(folder)) for encoder in self.encoders()]
            return [fitted.encode(ready).vectors for fitted, ready in prepared]

    def contents(self, encoder: Encoder, folder: Path) -> list[Any]:
        """Return texts, or paths of pictures."""
        return [*TEXTS] if encoder.encodes == "text" else draw_pictures(self._pictures(folder))

    def prepared(self, encoder: Encoder, folder: Path) -> tuple[Encoder, list[Any]]:
        """Return the fitted encoder, and the contents as it takes them."""
        contents = self.contents(encoder, folder)
        fitted = encoder.fit(contents)
        if encoder.encodes == "text":
            return fitted, contents
        prepare = cast(PictureEncoder, fitted).prepare
        return fitted, [prepare(open_picture(path)) for path in contents]

    def listed(self, encoder: Encoder, folder: Path) -> Contents:
        """Return the contents as the stage takes them."""
        if encoder.encodes == "image":
            return pictures_of(self._pictures(folder))
        import polars as pl

        return texts_of(pl.DataFrame({"item_id": [*map(str, range(len(TEXTS)))], "title": TEXTS}), ["title"])

    @staticmethod
    def _pictures(folder: Path) -> Path:
        (folder / "pictures").mkdir(exist_ok=True)
        return folder / "pictures"
