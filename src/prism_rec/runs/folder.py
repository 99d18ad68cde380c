"""The folder of a run: the only place that knows the names of its files."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prism_rec.errors import DamagedError, UnknownKindError
from prism_rec.files import LOCK, write_text_atomically
from prism_rec.folders import begin_folder, remove_claimed, remove_folder, require_folder
from prism_rec.records import MANIFEST, UNFINISHED
from prism_rec.training.config import RunConfig
from prism_rec.training.loop import EpochRecord, best_epoch

STAGE = "train"


@dataclass(frozen=True)
class RunFolder:
    """The files of a run.

        config.json             the settings, with every default
        data/                   the dataset with the features that the model sees
        best.safetensors        weights of the epoch with the best validation
        last.safetensors        the whole state after the latest epoch, until training ends
        log.jsonl               one line per epoch
        start.json              the weights that the run was begun from, if they are of another run
        manifest.json           written last: a run without it is unfinished and has unfinished.json
        evaluation-PART.npz     the rank of every user's target, if the run was evaluated

    In a comparison, three more:

        cell.json               settings and data that the folder was begun for
        ranks-test.npz          ranks of the test targets
        result.json             all numbers that the comparison needs, written last

    Args:
        path: the folder; it need not exist.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.json"

    @property
    def data(self) -> Path:
        """The dataset."""
        return self.path / "data"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """The state from which training continues."""
        return self.path / "last.safetensors"

    @property
    def log(self) -> Path:
        """The records of all epochs."""
        return self.path / "log.jsonl"

    @property
    def start(self) -> Path:
        """Which weights the run was begun from."""
        return self.path / "start.json"

    @property
    def claim(self) -> Path:
        """The cell of a comparison that began the folder."""
        return self.path / "cell.json"

    @property
    def ranks(self) -> Path:
        """The test ranks of a cell of a comparison."""
        return self.path / "ranks-test.npz"

    @property
    def result(self) -> Path:
        """The numbers of a cell of a comparison."""
        return self.path / "result.json"

    def evaluation(self, part: str) -> Path:
        """Return the file with the ranks of an evaluation on `test` or `validation`.

        It differs from `ranks`, from which the result of a comparison was made.
        """
        return self.path / f"evaluation-{part}.npz"

    @property
    def is_begun(self) -> bool:
        """Whether a run was begun here."""
        return self.config.exists()

    @property
    def is_trained(self) -> bool:
        """Whether a manifest says that training ended."""
        return (self.path / MANIFEST).exists()

    @property
    def has_epochs(self) -> bool:
        """Whether the folder has more than the preparations for the first epoch."""
        preparations = {LOCK, UNFINISHED, self.claim.name, self.config.name, self.data.name, self.start.name}
        inside = self.path.iterdir() if self.path.is_dir() else ()
        return any(path.name not in preparations and path.suffix != ".partial" for path in inside)

    def read_config(self) -> RunConfig:
        """Return the settings.

        Raises:
            DamagedError: the file is missing or not JSON.
            SettingsError: another version of the library wrote settings that this one does not know, or a plug-in is
                not installed.
        """
        try:
            settings = json.loads(self.config.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise DamagedError(f"{self.config} is missing or not JSON; train again") from None
        if not isinstance(settings, dict):
            raise DamagedError(f"{self.config} has no settings; train again")
        try:
            return RunConfig.parse(settings, str(self.config))
        except UnknownKindError as error:
            raise error.of_a_folder() from None

    def write_config(self, config: RunConfig) -> None:
        """Write the settings."""
        write_text_atomically(self.config, json.dumps(config.model_dump(mode="json"), indent=2) + "\n")

    def read_start(self) -> str | None:
        """Return the SHA-256 of the weights that the run was begun from; None if it had fresh weights.

        Raises:
            DamagedError: the file is not JSON.
        """
        if not self.start.exists():
            return None
        try:
            return str(json.loads(self.start.read_text(encoding="utf-8"))["sha256"])
        except (ValueError, KeyError, TypeError):
            raise DamagedError(f"{self.start} is damaged; train again") from None

    def write_start(self, sha256: str) -> None:
        """Write which weights the run is begun from."""
        write_text_atomically(self.start, json.dumps({"sha256": sha256}) + "\n")

    def read_log(self) -> tuple[EpochRecord, ...]:
        """Return the records of the epochs so far; empty if there are none."""
        if not self.log.exists():
            return ()
        records = (json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines())
        return tuple(
            EpochRecord(**{key: value for key, value in record.items() if key != "best_epoch"})
            for record in records
        )

    def write_log(self, records: Sequence[EpochRecord], metric: str) -> None:
        """Write the records of all epochs so far, each with the number of the best epoch."""
        best = best_epoch(records, metric)
        lines = (json.dumps({**asdict(record), "best_epoch": best}) for record in records)
        write_text_atomically(self.log, "".join(f"{line}\n" for line in lines))

    def read_manifest(self, *read: Path) -> dict[str, Any]:
        """Return the manifest of a finished run.

        Its facts: `epochs`, `best_epoch`, `validation`, `seconds`, `parameters`, `peak_memory_mb`, `device`.

        Args:
            read: files that are read next; they are compared with their hashes.

        Raises:
            FolderError: the folder is not a finished run.
            DamagedError: a file is missing or was changed.
        """
        return require_folder(self.path, STAGE, *(str(path.relative_to(self.path)) for path in read))

    def begin(self) -> None:
        """Claim all names of a run in the folder.

        Raises:
            FolderError: the folder has something else.
        """
        begin_folder(self.path, STAGE, [path.name for path in self._files])

    def remove(self, *kept: Path) -> None:
        """Remove the files of the run and nothing else; of a folder that no run began, nothing.

        Args:
            kept: files that stay, such as `log`.
        """
        if not (self.path / UNFINISHED).exists() and not (self.path / MANIFEST).exists():
            return
        begin_folder(self.path, STAGE)
        if not self.data.is_symlink():
            remove_folder(self.data)
        remove_claimed(self.path, [path.name for path in kept])

    @property
    def _files(self) -> tuple[Path, ...]:
        parts = (self.evaluation(part) for part in ("test", "validation"))
        trained = (self.config, self.start, self.data, self.best, self.last, self.log)
        return (*trained, self.claim, self.ranks, self.result, *parts)

    @property
    def later(self) -> list[str]:
        """Names that may be written after training has ended, or that stay."""
        trained = (self.config, self.start, self.best, self.last, self.log)
        return [path.name for path in self._files if path not in trained]
