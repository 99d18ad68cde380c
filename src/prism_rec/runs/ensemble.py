"""Several finished runs that rank as one, in memory and as a folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.files import write_text_atomically
from prism_rec.folders import begin_folder, finish_folder, require_folder
from prism_rec.rank import EnsembleRanker, Ranker, Seen, Tables
from prism_rec.records import MANIFEST
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.run import Run
from prism_rec.training.checkpoint import save_tensors

STAGE = "ensemble"


class Member(Config):
    """A run of an ensemble."""

    run: str
    """The name of its folder."""
    sha256: str
    """The hash of its weights."""
    weight: float = Field(ge=0, le=1)
    """Its share of the score; the weights of all members add up to 1."""
    scale: float = Field(gt=0)
    """The usual spread of its scores: their standard deviation over the catalogue, as a mean over validation users."""

    @property
    def factor(self) -> float:
        """The factor of its scores."""
        return self.weight / self.scale


class EnsembleConfig(Config):
    """The members of an ensemble."""

    members: tuple[Member, ...]
    """The runs with a weight above 0, in the given order."""
    metric: str
    """The validation metric that chose the weights."""
    seen: Seen
    """Whether items of a user's history are candidates."""


@dataclass(frozen=True)
class Ensemble:
    """Several finished runs of the same data, whose weighted scores are added.

    The folder holds everything:

        config.json                 the runs with their weights
        data/                       the dataset with the features of all runs
        1/config.json               the settings of the first run
        1/best.safetensors          its weights
        manifest.json               written last
        evaluation-PART.npz         the rank of every user's target, if the ensemble was evaluated
    """

    config: EnsembleConfig
    """The runs with their weights."""
    dataset: Dataset
    """The data, with the features of all runs."""
    members: tuple[Run, ...]
    """The runs, in the order of `config.members`; all have `dataset`."""
    folder: RunFolder
    """The files of the ensemble."""

    @classmethod
    def load(cls, folder: Path | str, device: str = "auto", mapped: bool = False) -> Self:
        """Load an ensemble; nothing but its folder is needed. See `Run.load`."""
        files = RunFolder(Path(folder))
        manifest = require_folder(files.path, STAGE, files.config.name, f"{files.data.name}/{MANIFEST}")
        require_folder(files.path, STAGE, *(name for name in manifest["files"] if name[0].isdigit()))
        config = EnsembleConfig.parse(json.loads(files.config.read_text(encoding="utf-8")), str(files.config))
        dataset = Dataset.load(files.data, mapped)
        parts = [RunFolder(files.path / str(place)) for place in range(1, len(config.members) + 1)]
        members = [Run.on(dataset, part, part.read_config(), device, mapped, STAGE) for part in parts]
        return cls(config, dataset, tuple(members), files)

    @property
    def seen(self) -> Seen:
        """Whether items of a user's history are candidates."""
        return self.config.seen

    def ranker(self, batch_size: int | None = None, tables: Sequence[Tables] = ()) -> EnsembleRanker:
        """Return the ranker of the catalogue; see `Run.ranker`."""
        return EnsembleRanker(
            [
                (
                    member.factor,
                    Ranker(
                        run.model,
                        batch_size or self.members[0].config.train.rank_batch_size,
                        self.seen,
                        tables[place] if tables else None,
                    ),
                )
                for place, (member, run) in enumerate(zip(self.config.members, self.members, strict=True))
            ]
        )

    def write(self, folder: Path, dataset: Dataset, *others: str, **facts: Any) -> None:
        """Write the folder of an ensemble.

        Args:
            folder: new or empty.
            dataset: what is written as its data.
            others: files that are there already and belong to it.
            facts: JSON values for the manifest.
        """
        files = RunFolder(folder)
        later = [files.evaluation(part).name for part in ("test", "validation")]
        parts = [RunFolder(folder / str(place)) for place in range(1, len(self.members) + 1)]
        written = [
            str(file.relative_to(folder))
            for file in (
                files.config,
                files.data / MANIFEST,
                *(file for part in parts for file in (part.config, part.best)),
            )
        ]
        begin_folder(folder, STAGE, [*written, files.data.name, *later])
        dataset.save(files.data)
        for run, part in zip(self.members, parts, strict=True):
            part.path.mkdir(exist_ok=True)
            part.write_config(run.config)
            save_tensors(part.best, run.model.state_dict(), {})
        settings = self.config.model_dump(mode="json")
        write_text_atomically(files.config, json.dumps(settings, indent=2) + "\n")
        finish_folder(folder, STAGE, settings, [*written, *others], kept=[*later, files.data.name], **facts)


def as_member(run: Run, dataset: Dataset) -> Run:
    """Return a run on data that may have features of other runs too; it reads the same features as before."""
    names = run.config.model.modalities or tuple(run.dataset.features) or None
    model = run.config.model.model_copy(update={"modalities": names})
    return replace(run, config=run.config.model_copy(update={"model": model}), dataset=dataset)
