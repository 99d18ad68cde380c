"""Options that have the same name and meaning in every command that has them."""

from pathlib import Path

from pydantic import Field

from prism_rec.config import Config
from prism_rec.folders import check_empty


class Output(Config):
    """For commands that write a folder."""

    out: Path
    """Folder to write."""


class Talk(Config):
    """For every command."""

    quiet: bool = False
    """Show no progress and no notes."""
    as_json: bool = Field(False, json_schema_extra={"flag": "--json"})
    """Print the result as one JSON document."""


class Machine(Config):
    """For commands that compute with a model."""

    device: str = "auto"
    """Device that computes: auto, cpu, cuda or cuda:N; auto is CUDA if there is one."""
    threads: int | None = Field(None, ge=1)
    """Threads of the CPU; if not given, PyTorch chooses."""


class Resume(Config):
    """For commands that work for long."""

    resume: bool = True
    """Continue interrupted work in the output folder; with --no-resume a folder that has any is refused."""

    def check_folder(self, out: Path) -> None:
        """Refuse a folder with earlier work in it, if that should not be continued.

        Raises:
            FolderError: the folder is not empty, and `resume` is false.
        """
        if not self.resume:
            check_empty(out)


class Replace(Config):
    """For commands that write what can be made again."""

    replace: bool = False
    """Replace the output of other settings. Without it, such an output is refused. An input is never replaced."""


class Overrides(Config):
    """For commands that read settings from a YAML file."""

    overrides: tuple[str, ...] = Field((), json_schema_extra={"flag": "--set"})
    """KEY=VALUE: change a setting of the file, as in train.learning_rate=5e-4. Repeat for more."""


def use_threads(options: Machine) -> None:
    """Make PyTorch use as many threads as the options say."""
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
