"""`prism-rec build`: raw files to a dataset with features, in one command that can be killed and started again."""

from pathlib import Path

from prism_rec.cli.bars import shown
from prism_rec.cli.common import Output, Overrides, Replace, Resume, Talk


class BuildOptions(Talk, Resume, Replace, Overrides, Output):
    """Prepare a log, gather its pictures, encode texts and pictures, and join everything into one dataset.

    A step is skipped if it was done before with the same settings and inputs. A run that was killed continues when it
    is started again. With --replace, a step of other settings is done again. The steps are also commands: prepare,
    images, embed.

    For instance:

        prism-rec build recipes/build-beauty.yaml --out data/beauty

        prism-rec images --out data/beauty/images --visit retry

        prism-rec build recipes/build-beauty.yaml --out data/beauty
    """

    recipe: Path
    """YAML file with the settings of all steps; recipes/build-*.yaml are complete recipes."""


def build(options: BuildOptions) -> None:
    """Run the stage and show the dataset."""
    from prism_rec.cli.describe import show
    from prism_rec.config import name_origin, read_yaml
    from prism_rec.data.dataset import Dataset
    from prism_rec.stages.build import Build
    from prism_rec.stages.build import build as run

    options.check_folder(options.out)
    values = read_yaml(options.recipe, options.overrides)
    settings = Build.parse(values, name_origin(options.recipe, options.overrides))
    with shown(options.quiet) as events:
        folder = run(settings, options.out, events, replace=options.replace)
    show(Dataset.load(folder), str(folder), options.as_json)
