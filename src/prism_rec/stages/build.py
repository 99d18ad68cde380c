"""The stage build: from raw files to a dataset with features. A recipe in, a folder out.

prepared/        the log, with what describes the items
images/          one checked picture per item
vectors/NAME/    the vectors of one modality
dataset/         prepared/ and vectors/ in one: what training reads
steps.json       what each step was last done with
manifest.json    says that a build works here; each of the folders has its own
"""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.dataset_folder import STAGE as PREPARE
from prism_rec.data.embedding_folder import STAGE as EMBED
from prism_rec.data.vectors import check_modality_name
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.features.images import STAGE as IMAGES
from prism_rec.features.images.settings import Gathering
from prism_rec.files import locked
from prism_rec.folders import begin_folder, check_folder, content_of, finish_folder, remove_folder
from prism_rec.inputs import checked
from prism_rec.records import MANIFEST, UNFINISHED
from prism_rec.stages.chain import Step, recorded, run_chain
from prism_rec.stages.embed import Embed, Encoding, embed
from prism_rec.stages.images import Images, images, say_counts
from prism_rec.stages.join import Join, join
from prism_rec.stages.prepare import Prepare, prepare_step

STAGE = "build"
PARTS = ("prepared", "images", "vectors", "dataset")


class Build(Config):
    """A recipe: the settings of all steps."""

    prepare: Prepare
    """The log."""
    images: Gathering | None = None
    """The pictures, if there are any. `source_column` is a column that prepare writes."""
    embed: dict[str, Encoding] = Field(default_factory=dict)
    """The modalities by name. One without `fields` encodes the pictures. Without any, the dataset is the log."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, encoding in self.embed.items():
            check_modality_name(name)
            if not encoding.fields and self.images is None:
                raise ValueError(
                    f"embed.{name} has no fields, so it encodes pictures, and there is no section images"
                )
        return self


@checked
def build(settings: Build, out: Path, events: Events = Events(), *, replace: bool = False) -> Path:
    """Prepare a log, gather its pictures, encode texts and pictures, and join everything into one dataset.

    A step is skipped if it was done before with the same settings and inputs. A run that was killed continues
    when it is called again. A step of other settings is refused, unless it is to be replaced.

    Args:
        settings: the recipe.
        out: folder for everything that is made.
        events: hears a note when a step begins or is skipped, notes on its result, and the tasks of the steps.
        replace: do steps again that were done with other settings.

    Returns:
        The folder of the dataset, ready to train on.

    Raises:
        InputError: a step fails; the output of earlier steps is kept.
    """
    steps = [prepare_step(settings.prepare, out / "prepared", events)]
    if settings.images is not None:
        steps.append(_images(settings.images, out, events))
    steps += [_embed(name, encoding, out, events) for name, encoding in settings.embed.items()]
    steps.append(_join(settings, out))
    check_folder(out, STAGE, steps[0].inputs)
    with locked(out):
        begin_folder(out, STAGE, PARTS)
        try:
            run_chain(steps, out, events, replace)
        except InputError:
            if content_of(out) == [UNFINISHED]:  # no step has begun
                remove_folder(out)
            raise
        finish_folder(out, STAGE, {}, (), kept=PARTS)
    return out / "dataset"


def _images(gathering: Gathering, out: Path, events: Events) -> Step:
    table = out / "prepared" / "items.parquet"
    settings = Images(table=table, **dict(gathering))

    def run() -> None:
        events.note(f"  {say_counts(images(settings, out / 'images', events))}")

    # A folder of photos has its own record in images/: `prism-rec images` looks for new photos in it.
    local = gathering.local
    archive = () if local is None or local.is_dir() else (local,)
    return Step(
        "images", out / "images", IMAGES, recorded(gathering, out), (table, *archive), run, settings.check
    )


def _embed(name: str, encoding: Encoding, out: Path, events: Events) -> Step:
    table, pictures = out / "prepared" / "items.parquet", out / "images"
    source = {"items": table} if encoding.fields else {"pictures": pictures}
    settings = Embed(**source, **dict(encoding))

    def run() -> None:
        for line in embed(settings, out / "vectors" / name, events, replace=True).lines():
            events.note(f"  {line}")

    inputs = (table if encoding.fields else pictures / MANIFEST, *settings.encoder.files())
    return Step(
        f"embed {name}", out / "vectors" / name, EMBED, settings.recorded(), inputs, run, settings.check
    )


def _join(recipe: Build, out: Path) -> Step:
    names, axes = list(recipe.embed), recipe.prepare.vectors
    vectors = {name: out / "vectors" / name for name in names}
    settings = Join(dataset=out / "prepared", vectors=vectors, principal_axes=axes)
    manifests = tuple(folder / MANIFEST for folder in (settings.dataset, *settings.vectors.values()))
    done_with = {"features": names} | (axes.model_dump() if axes.is_needed() else {})

    def run() -> None:
        join(settings, out / "dataset")

    return Step("join", out / "dataset", PREPARE, done_with, manifests, run)
