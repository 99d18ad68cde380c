"""Options that have the same name and meaning in every command that has them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from prism_rec.config import Config
from prism_rec.errors import InputError
from prism_rec.folders import check_empty
from prism_rec.inputs import split_ids

if TYPE_CHECKING:
    from prism_rec.recommend.recommender import Recommender


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


class Allowed(Config):
    """For commands that choose items of the catalogue."""

    candidates: Path | None = None
    """Only these items: a file with one id per line, perhaps below the name item_id, or a table with a column
    item_id."""
    exclude: Path | None = None
    """Leave out these items, such as those out of stock: a file like that of --candidates, which may be empty."""
    where: tuple[str, ...] = ()
    """Only items with this property: COLUMN=VALUE, COLUMN<=NUMBER, COLUMN>=DATE or COLUMN~PART_OF_A_TEXT. Repeat for
    more; of several values of one column, one must be equal."""

    def conditions(self) -> dict[str, Any]:
        """Read the files and return the arguments of these names."""
        from prism_rec.recommend.files import read_ids
        from prism_rec.recommend.filters import read_conditions

        return {
            "candidates": read_ids(self.candidates, "item_id") if self.candidates else None,
            "exclude": read_ids(self.exclude, "item_id", may_be_empty=True) if self.exclude else None,
            "where": read_conditions(self.where),
        }


class Machine(Config):
    """For commands that compute with a model."""

    device: str = "auto"
    """Device that computes: auto, cpu, cuda or cuda:N; auto is CUDA if there is one."""
    threads: int | None = Field(None, ge=1, le=4096)
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
    """For commands whose output can be made again."""

    replace: bool = False
    """Replace the output of other settings. Without it, such an output is refused. An input is never replaced."""


class Overrides(Config):
    """For commands that read settings from a YAML file."""

    overrides: tuple[str, ...] = Field((), json_schema_extra={"flag": "--set"})
    """KEY=VALUE: change a setting of the file, as in train.learning_rate=5e-4. Repeat for more."""


def items_of(text: str, recommender: "Recommender") -> list[str]:
    """Return the item ids of a history that is given as one text.

    Raises:
        InputError: an id is empty; or the whole text is an id too, so that its commas may mean either.
    """
    ids = split_ids(text)
    if len(ids) > 1 and not recommender.unknown_items([text]):
        raise InputError(
            f"{text!r} is one item and a list of {len(ids)}; put every id that has a comma in double quotes"
        )
    return ids


def use_threads(options: Machine) -> None:
    """Make PyTorch use as many threads as the options say."""
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
