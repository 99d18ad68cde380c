"""`prism-rec build`: raw files to a dataset with features, in one resumable command."""

from pathlib import Path
from typing import Annotated

import typer


def build(
    recipe: Annotated[Path, typer.Argument(help="YAML recipe; recipes/build-*.yaml are complete ones.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting: embed.text.encoder=hashed-text. Repeatable."
        ),
    ] = None,
) -> None:
    """Prepare a log, gather its pictures, encode texts and pictures, and join all of it into one dataset.

    Each step is passed over if it was done before with the same settings and inputs. A run that was killed
    goes on where it was. The steps are also commands of their own: prepare, images, embed.

    For instance:

        prism-rec build recipes/build-beauty.yaml
        prism-rec images --out data/beauty/images --retry-failed
        prism-rec build recipes/build-beauty.yaml
    """
    from prism_rec.cli.describe import show
    from prism_rec.config import name_origin, read_yaml
    from prism_rec.data.dataset import Dataset
    from prism_rec.features.build import build as run
    from prism_rec.features.recipe import Recipe

    settings = Recipe.parse(read_yaml(recipe, overrides or []), name_origin(recipe, overrides or []))
    folder = run(settings, typer.echo, progress=True)
    show(Dataset.load(folder), str(folder))
