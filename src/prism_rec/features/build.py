"""The chain from raw files to a dataset with features: a recipe in, a folder out.

prepared/        the log alone, with what describes the items
images/          one checked picture an item
vectors/NAME/    one modality's vectors
dataset/         prepared/ and vectors/ in one: what training reads
steps.json       what each step was last done with
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.card.page import write_card
from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE as PREPARE
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.features.chain import Step, files_in, run_chain
from prism_rec.features.contents import pictures_of, texts_of
from prism_rec.features.embed import STAGE as EMBED
from prism_rec.features.embed import embed, load_embedding
from prism_rec.features.images import STAGE as IMAGES
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.images.run import run_gathering
from prism_rec.features.images.table import tell_counts
from prism_rec.features.options import EmbedOptions
from prism_rec.features.recipe import Recipe
from prism_rec.folders import MANIFEST, require_folder
from prism_rec.stages.prepare import prepare_step

Tell = Callable[[str], None]


def build(recipe: Recipe, tell: Tell = lambda line: None, progress: bool = False) -> Path:
    """Do what is left to do of a recipe; safe to kill and to call again.

    Args:
        recipe: the settings.
        tell: called with a line when a step begins or is passed over, and with what came of it.
        progress: show progress bars.

    Returns:
        The folder of the dataset, ready to train on.

    Raises:
        InputError: whatever a step finds wrong; what earlier steps made is kept.
    """
    out = recipe.out
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the output")
    steps = [prepare_step(recipe.prepare, out / "prepared", Events())]
    if recipe.images is not None:
        steps.append(_images(recipe.images, out, tell, progress))
    steps += [_embed(name, step, out, tell, progress) for name, step in recipe.embed.items()]
    steps.append(_join(list(recipe.embed), out))
    run_chain(steps, out / "steps.json", tell)
    return out / "dataset"


def _images(given: GatherOptions, out: Path, tell: Tell, progress: bool) -> Step:
    folder, table = out / "images", out / "prepared" / "items.parquet"

    def check() -> None:
        if given.local is not None and not given.local.exists():
            raise InputError(f"{given.local}: no such folder or archive; check images.local in the recipe")

    def run() -> None:
        run_gathering(table, folder, given, progress)
        tell(f"  {tell_counts(folder)}")

    # A folder of photos has its own record, in images/: there new ones are for `prism-rec images`.
    archive = () if given.local is None or given.local.is_dir() else (given.local,)
    return Step("images", folder, IMAGES, given.model_dump(mode="json"), (table, *archive), run, check)


def _embed(name: str, given: EmbedOptions, out: Path, tell: Tell, progress: bool) -> Step:
    folder, table, pictures = out / "vectors" / name, out / "prepared" / "items.parquet", out / "images"
    source = table if given.fields else pictures / MANIFEST
    settings = given.what_is_made()

    def run() -> None:
        if given.fields:
            contents = texts_of(pl.read_parquet(table, glob=False), given.fields, str(table))
        else:
            contents = pictures_of(pictures)
        encoder, engine = given.find_encoder(), given.make_engine()
        summary = embed(
            contents, encoder, folder, engine=engine, config=settings, inputs=[source], progress=progress
        )
        for line in summary.tell():
            tell(f"  {line}")

    def check() -> None:
        given.find_encoder()
        given.make_engine()

    weights = files_in(Path(given.encoder)) if Path(given.encoder).is_dir() else []
    return Step(f"embed {name}", folder, EMBED, settings, (source, *weights), run, check)


def _join(names: list[str], out: Path) -> Step:
    prepared, folders = out / "prepared", {name: out / "vectors" / name for name in names}

    def run() -> None:
        manifest = require_folder(prepared, PREPARE)
        vectors = {name: load_embedding(folder) for name, folder in folders.items()}
        config = {**manifest["config"], "raw_files": manifest["inputs"], "encoders": _encoders(folders)}
        dataset = Dataset.load(prepared).with_features(vectors)
        dataset.save(out / "dataset", config)
        write_card(dataset, out / "dataset")

    manifests = tuple(folder / MANIFEST for folder in (prepared, *folders.values()))
    return Step("join", out / "dataset", PREPARE, {"features": names}, manifests, run)


def _encoders(folders: Mapping[str, Path]) -> dict[str, str]:
    return {name: require_folder(folder, EMBED)["config"]["encoder"] for name, folder in folders.items()}
