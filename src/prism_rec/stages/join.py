"""The stage join: a prepared dataset and vectors of its items -> one dataset with features."""

from pathlib import Path

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.card.page import CARDS, write_card
from prism_rec.data.dataset import Dataset
from prism_rec.data.dataset_folder import STAGE as PREPARE
from prism_rec.data.embedding_folder import STAGE as EMBED
from prism_rec.data.principal_axes import PrincipalAxes
from prism_rec.events import Events
from prism_rec.folders import require_folder
from prism_rec.inputs import checked


class Join(Config):
    """Which folders are joined."""

    dataset: Path
    """A folder of the stage prepare."""
    vectors: dict[str, Path] = Field(default_factory=dict)
    """A folder of the stage embed per modality."""
    principal_axes: PrincipalAxes = PrincipalAxes()
    """How these vectors are changed; `prepare.vectors` of a recipe."""


@checked
def join(settings: Join, out: Path, events: Events = Events()) -> Dataset:
    """Write the dataset with the vectors as its features, and its card; everything else stays as it was prepared.

    Args:
        settings: the folders.
        out: the folder to write; a dataset in it is replaced.
        events: hears nothing, because joining is quick.

    Returns:
        The dataset as written.

    Raises:
        FolderError: a folder is missing, unfinished, damaged or of another stage.
        DataError: the vectors do not belong to items of the dataset.
    """
    manifest = require_folder(settings.dataset, PREPARE)
    encoders, features = {}, {}
    for name, folder in settings.vectors.items():
        encoders[name] = require_folder(folder, EMBED)["config"]["encoder"]
        features[name] = folder
    dataset = Dataset.load(settings.dataset).with_features(features).with_axes(settings.principal_axes)
    dataset.save(
        out, {**manifest["config"], "raw_files": manifest["inputs"], "encoders": encoders}, kept=CARDS
    )
    write_card(dataset, out)
    return dataset
