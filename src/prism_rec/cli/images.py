"""`prism-rec images`: URLs or local photos to a folder of checked pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Output, Resume, Talk
from prism_rec.cli.terminal import SafeConsole, print_json, say
from prism_rec.stages.images import Images

if TYPE_CHECKING:
    import polars as pl


class ImagesOptions(Talk, Resume, Images, Output):
    """Gather one checked, resized picture per item; can be killed and started again.

    A run visits sources that were not tried yet, and temporary failures (network, timeout, 429, 5xx, cut short). It
    does not visit stored pictures and permanent failures (404, not a picture, too large, address refused), unless
    --visit everything. Refused addresses are visited with --allow-private. The outcome of each item is in
    pictures.parquet of the folder.

    For instance:

        prism-rec images --table prepared/items.parquet --out images

        prism-rec images --out images --visit retry
    """


def images(options: ImagesOptions) -> None:
    """Run the stage and show how many items ended how."""
    from prism_rec.stages.images import images as run

    options.check_folder(options.out)
    with shown(options.quiet) as events:
        counts = run(only(options, Images), options.out, events)
    show(counts, options.out, options.as_json)


def show(counts: "pl.DataFrame", out: Path, as_json: bool) -> None:
    """Print the counts as a table, with advice, or as JSON."""
    from rich.table import Table
    from rich.text import Text

    console = SafeConsole()
    if as_json:
        print_json(counts.to_dicts())
        return
    table = Table(title=Text(str(out)), title_justify="left", box=None, pad_edge=False)
    for name in ("status", "reason"):
        table.add_column(name)
    table.add_column("items", justify="right")
    for status, reason, items in counts.iter_rows():
        table.add_row(status, reason or "", f"{items:,}")
    console.print(table, width=min(console.width, 80))
    if "retry" in counts["status"]:
        say(f"retry: temporary failures; prism-rec images --out {out} --visit retry")
    if "address-refused" in counts["reason"]:
        say("address-refused: not on the public internet; add --allow-private if you trust the table")
