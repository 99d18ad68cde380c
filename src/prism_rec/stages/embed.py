"""The stage embed: texts or pictures of items -> one vector per item."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.errors import FolderError, SettingsError
from prism_rec.events import Events
from prism_rec.features.encoders.encoder import Modality
from prism_rec.features.encoders.settings import EncoderConfig, HuggingFace, Words
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.settings import EngineConfig
from prism_rec.files import locked
from prism_rec.folders import check_folder, check_listed, require_folder
from prism_rec.inputs import checked
from prism_rec.records import MANIFEST

if TYPE_CHECKING:
    import polars as pl

    from prism_rec.features.contents import Contents
    from prism_rec.features.embedding import Summary
    from prism_rec.features.stored_encoder import StoredEncoder

TITLE = ("title",)
"""The fields of a text, unless others are named."""
ITEMS = "items.parquet"


class Encoding(Config):
    """How the contents of one modality become vectors."""

    fields: tuple[str, ...] = ()
    """Columns of the items that make up the text, in this order."""
    encoder: EncoderConfig = HuggingFace()
    """What turns contents into vectors: a kind, or the name or folder of a Hugging Face model."""
    engine: EngineConfig = LocalEngine()
    """What runs the encoder. The vectors do not depend on it."""

    @property
    def modality(self) -> Modality:
        """Texts if there are fields, otherwise pictures."""
        return "text" if self.fields else "image"

    @model_validator(mode="after")
    def _settings_go_together(self) -> Self:
        self._check_settings()
        return self

    def _check_settings(self) -> None:
        if self.modality not in self.encoder.modalities:
            takes = " or ".join(f"{modality}s" for modality in self.encoder.modalities)
            raise ValueError(
                f"{self.encoder.kind} encodes {takes}, not {self.modality}s; choose another `encoder`"
            )

    def check(self) -> None:
        """Find the mistakes that can be found before anything is encoded.

        Raises:
            SettingsError: the engine cannot run here, or the encoder's model is not available.
        """
        self.engine.check()
        if not isinstance(self.encoder, Words):
            self.encoder.build(self.modality, self.engine)

    def recorded(self) -> dict[str, Any]:
        """Return the settings that the vectors depend on, as JSON values."""
        return self.model_dump(mode="json", include={"fields", "encoder"})


class Embed(Encoding):
    """What is encoded, and how. Texts need `items`, pictures need `pictures`."""

    items: Path | None = None
    """Texts: a table with item_id (.csv, .tsv, .parquet), or a folder of the stage prepare."""
    pictures: Path | None = None
    """Pictures: a folder of the stage images, or a folder of files named ITEM_ID.jpg, also in subfolders. Files are
    read as the stage images stores them, with a shorter side of 224 pixels."""
    columns: dict[str, str] = Field(default_factory=dict)
    """item=NAME: the column of item ids in `items` or `picture_table`, if it is not item_id."""
    picture_table: Path | None = None
    """Pictures: a table with item_id and file, if the files in `pictures` have other names."""
    like: Path | None = None
    """A folder of embed whose encoder and fields are used, with all that the encoder has learned: the vectors fit a
    model that was trained on those of the folder."""

    @property
    def modality(self) -> Modality:
        """Texts if there are items, otherwise pictures."""
        return "text" if self.items is not None else "image"

    def _check_settings(self) -> None:
        if (self.items is None) == (self.pictures is None):
            raise ValueError("give either `items`, for texts, or `pictures`")
        if self.items is None and self.fields:
            raise ValueError("`fields` are columns of `items`; give `items`, or leave out `fields`")
        if self.items is not None and self.picture_table is not None:
            raise ValueError("`picture_table` names files in `pictures`; give `pictures`, or leave it out")
        if self.like is not None and (self.fields or self.encoder != HuggingFace()):
            raise ValueError("`like` has an encoder and fields; leave out `encoder` and `fields`")
        super()._check_settings()


@checked
def embed(settings: Embed, out: Path, events: Events = Events(), *, replace: bool = False) -> "Summary":
    """Turn texts or pictures of items into unit vectors, or texts into words.

    Items without a text or a picture get no vector. What `out` has already is not encoded again: a run that was
    killed continues, and a run after new items came encodes only those. `load_embedding` reads the folder.

    Args:
        settings: what is encoded, and how; without `fields`, texts are the column `title`.
        out: the folder; new, empty, or with vectors of the same fields and encoder.
        events: hears of the task `texts` or `pictures`.
        replace: replace vectors of other fields or another encoder too.

    Raises:
        InputError: see `features.embedding.embed_contents` and `features.words.embed_words`; or a table or folder
            cannot be read.
    """
    from prism_rec.data.embedding_folder import STAGE
    from prism_rec.features.embedding import embed_contents

    given = (settings.items, settings.pictures, settings.picture_table)
    check_folder(out, STAGE, [path for path in given if path is not None])
    settings.engine.check()
    if isinstance(settings.encoder, Words):
        with locked(out):
            return _words(settings, settings.encoder, out, replace)
    stored = None if settings.like is None else _stored(settings.like, settings.modality)
    if stored is not None:
        settings = settings.model_copy(update={"fields": stored.fields, "encoder": stored.encoder})
    assert not isinstance(settings.encoder, Words)  # nor is a stored one
    contents, inputs = _texts(settings) if settings.items else _pictures(settings)
    for note in contents.notes():
        events.note(note)
    encoder = (
        stored.build(settings.engine)
        if stored
        else settings.encoder.build(settings.modality, settings.engine)
    )
    with locked(out):
        return embed_contents(
            contents,
            encoder,
            out,
            fit=stored is None,
            engine=settings.engine,
            config=settings.recorded(),
            inputs=inputs,
            events=events,
            replace=replace,
        )


def _words(settings: Embed, encoder: Words, out: Path, replace: bool) -> "Summary":
    from prism_rec.features.words import embed_words

    items, path = _read_items(settings)
    fields, config = settings.fields or TITLE, settings.recorded()
    return embed_words(items, fields, encoder, out, str(path), config=config, inputs=[path], replace=replace)


def _stored(folder: Path, modality: Modality) -> "StoredEncoder":
    from prism_rec.data.embedding_folder import ENCODER, read_encoder
    from prism_rec.features.stored_encoder import StoredEncoder

    found = read_encoder(folder)
    if found is None:
        raise FolderError(f"{folder} has no {ENCODER}; make it again with embed")
    stored = StoredEncoder.parse(found, str(folder / ENCODER))
    if stored.modality != modality:
        raise SettingsError(f"{folder} has vectors of {stored.modality}s, not of {modality}s", key="like")
    return stored


def _texts(settings: Embed) -> tuple["Contents", list[Path]]:
    from prism_rec.features.contents import texts_of

    items, path = _read_items(settings)
    return texts_of(items, settings.fields or TITLE, str(path)), [path]


def _read_items(settings: Embed) -> tuple["pl.DataFrame", Path]:
    from prism_rec.data.dataset_folder import STAGE as PREPARE
    from prism_rec.data.frames import with_item_id
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table

    assert settings.items is not None
    path = settings.items
    if path.is_dir():
        require_folder(path, PREPARE, ITEMS)
        path = path / ITEMS
    check_listed(path)
    with reading(str(path)):
        frame = scan_table(path).collect()
    return with_item_id(frame, settings.columns, str(path)), path


def _pictures(settings: Embed) -> tuple["Contents", list[Path]]:
    from prism_rec.data.frames import with_item_id
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.contents import pictures_of

    folder, table = settings.pictures, settings.picture_table
    assert folder is not None
    if table is None:
        return pictures_of(folder), [path for path in [folder / MANIFEST] if path.is_file()]
    with reading(str(table)):
        frame = scan_table(table).collect()
    return pictures_of(folder, with_item_id(frame, settings.columns, str(table))), [table]
