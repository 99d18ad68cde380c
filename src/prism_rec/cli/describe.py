"""`prism-rec describe`: the contents of a dataset folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.common import Talk
from prism_rec.cli.terminal import SafeConsole, print_json

if TYPE_CHECKING:
    from prism_rec.data.dataset import Dataset


class DescribeOptions(Talk):
    """Show a dataset's counts, histories, times, split, modalities and dropped events.

    For each modality, one sentence says whether its vectors or words say which item comes next.

    For instance:

        prism-rec describe data/ml-small
    """

    data: Path
    """A dataset folder that prepare or build has written."""


def describe(options: DescribeOptions) -> None:
    """Load the dataset and show it."""
    from prism_rec.data.dataset import Dataset

    show(Dataset.load(options.data), str(options.data), options.as_json)


def show(dataset: "Dataset", title: str, json: bool = False) -> None:
    """Print a dataset's description as a table of at most 80 columns, or as JSON."""
    from rich.table import Table
    from rich.text import Text

    from prism_rec.data.card.describe import describe as measure
    from prism_rec.data.card.describe import in_words

    facts = measure(dataset)
    console = SafeConsole()
    if json:
        print_json(facts)
        return
    table = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    for label, value in in_words(facts):
        table.add_row(Text(label), Text(value))
    console.print(table, width=min(console.width, 80))
