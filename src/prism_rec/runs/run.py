"""A finished run in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from prism_rec.data.dataset import Dataset
from prism_rec.devices import choose_device, peak_memory
from prism_rec.errors import DamagedError
from prism_rec.folders import finish_folder
from prism_rec.inputs import checked
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker, Seen, Tables
from prism_rec.records import MANIFEST
from prism_rec.runs.folder import STAGE, RunFolder
from prism_rec.training.checkpoint import load_tensors
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import EpochRecord, best_epoch


@dataclass(frozen=True)
class Run:
    """A trained model with its settings and data."""

    config: RunConfig
    """The settings of the model and its training."""
    dataset: Dataset
    """The data, with the features that the model sees."""
    model: SequenceRecommender
    """The model with the weights of its best epoch, in evaluation mode."""
    folder: RunFolder
    """The files of the run."""

    @classmethod
    @checked
    def load(cls, folder: Path | str, device: str = "auto", mapped: bool = False) -> Self:
        """Load a finished run; nothing but its folder is needed.

        Args:
            folder: that `train` wrote.
            device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
            mapped: keep vectors and weights in the memory of their files; see `Dataset.load`.

        Raises:
            FolderError: the folder is unfinished, or of another stage.
            DamagedError: a file is missing or changed.
        """
        files = RunFolder(Path(folder))
        files.read_manifest(files.config, files.best, files.log, files.data / MANIFEST)
        config = files.read_config()
        try:
            dataset = Dataset.load(files.data, mapped)
        except DamagedError as error:
            raise DamagedError(f"{str(error).rpartition(';')[0]}; run {STAGE} again") from None
        return cls.on(dataset, files, config, device, mapped)

    @classmethod
    def on(
        cls,
        dataset: Dataset,
        files: RunFolder,
        config: RunConfig,
        device: str,
        mapped: bool,
        again: str = "train",
    ) -> Self:
        """Load the weights of a run on data that are in memory.

        Args:
            dataset: the data, with the features that the model sees.
            files: the folder of the weights.
            config: the settings of the run.
            device: see `load`.
            mapped: see `load`.
            again: the command that repairs a damaged folder, for the message.

        Raises:
            DamagedError: the weights do not fit the settings.
        """
        model = config.model.build(dataset.number_of_items, dataset.features)
        try:
            model.load_state_dict(load_tensors(files.best)[0], assign=mapped)
        except RuntimeError:
            raise DamagedError(f"{files.best} does not fit {files.config}; run {again} again") from None
        return cls(config, dataset, model.to(choose_device(device)).eval(), files)

    @property
    def seen(self) -> Seen:
        """Whether items of a user's history are candidates."""
        return self.config.seen_in(self.dataset)

    def ranker(self, batch_size: int | None = None, tables: Sequence[Tables] = ()) -> Ranker:
        """Return the ranker of the catalogue for this run; evaluation and recommendation use the same one.

        Args:
            batch_size: users at once; as in validation if not given.
            tables: of the catalogue, computed before, in a list of one; if not given, they are computed.
        """
        batch_size = batch_size or self.config.train.rank_batch_size
        return Ranker(self.model, batch_size, self.seen, tables[0] if tables else None)

    def finish(self, records: Sequence[EpochRecord]) -> None:
        """Finish the folder: write its manifest, which removes the state that is needed only to continue.

        Args:
            records: of all epochs. If none has a validation, the last one counts as the best.
        """
        best = best_epoch(records, self.config.train.metric) or len(records)
        files = self.folder
        start = [files.start.name] if files.start.exists() else []
        names = [*start, files.config.name, files.best.name, files.log.name, f"{files.data.name}/{MANIFEST}"]
        finish_folder(
            files.path,
            STAGE,
            self.config.model_dump(mode="json"),
            names,
            kept=files.later,
            epochs=len(records),
            best_epoch=best,
            validation=records[best - 1].validation,
            seconds=round(sum(record.seconds for record in records), 3),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            peak_memory_mb=round(peak_memory(self.model.device) / 2**20),
            device=str(self.model.device),
        )
