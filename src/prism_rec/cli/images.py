"""`prism-rec images`: URLs or local photos to a folder of checked pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prism_rec.errors import InputError


def images(
    out: Annotated[Path, typer.Option(help="Folder to write, or to go on with.")],
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table (.parquet, .csv, .tsv) of item ids and URLs or names of photos; a list, or several rows, "
            "for an item with several, the best first. Default: the table that the folder was begun with."
        ),
    ] = None,
    local: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar with the photos that the table names.")
    ] = None,
    item_column: Annotated[str, typer.Option(help="The table's column of item ids.")] = "item_id",
    source_column: Annotated[str, typer.Option(help="The table's column of URLs or names.")] = "images",
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed", help="Only what failed for a reason that may pass; what was never tried waits."
        ),
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Everything again; pictures at hand by ETag, and kept if there is none newer."
        ),
    ] = False,
    size: Annotated[int, typer.Option(help="Shorter side of a stored picture in pixels.")] = 224,
    connections: Annotated[int, typer.Option(help="Requests under way at a time.")] = 32,
    per_host: Annotated[int, typer.Option(help="Requests under way to one host.")] = 16,
    attempts: Annotated[int, typer.Option(help="Requests for one picture in one run.")] = 4,
    timeout: Annotated[float, typer.Option(help="Seconds to connect, and between arrivals.")] = 20.0,
    max_bytes: Annotated[int, typer.Option(help="Most bytes of one picture.")] = 16 * 2**20,
    max_pixels: Annotated[int, typer.Option(help="Most pixels of one picture.")] = 50_000_000,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Contact private, loopback and link-local addresses too."),
    ] = False,
) -> None:
    """Gather one checked, resized picture an item; safe to kill and to call again.

    A run visits what has no settled outcome: what was never tried, and what failed for a reason that may pass
    (network, timeout, 429, 5xx, cut short). Pictures at hand and failures for good (404, not a picture, too
    large, address refused) are left alone, unless --refresh.

    For instance:

        prism-rec images --table prepared/items.parquet --out images
        prism-rec images --out images --retry-failed
    """
    from prism_rec.features.images.options import GatherOptions

    if retry_failed and refresh:
        raise InputError("--retry-failed and --refresh: give one of them")
    settings = {
        "visit": "retry" if retry_failed else "everything" if refresh else "unsettled",
        "local": local,
        "item_column": item_column,
        "source_column": source_column,
        "size": size,
        "connections": connections,
        "per_host": per_host,
        "attempts": attempts,
        "timeout": timeout,
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "allow_private": allow_private,
    }
    _gather(table, out, GatherOptions.parse(settings, "images"))
    _show(out)


def _gather(table: Path | None, out: Path, options: Any) -> None:
    try:
        from prism_rec.features.images.gather import gather_images
    except ModuleNotFoundError as error:
        raise InputError(f"images needs {error.name}: pip install 'prism-rec[images]'") from None
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("pictures", total=None)
        gather_images(
            table, out, options, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _show(out: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from prism_rec.features.images.table import summarise

    table = Table(title=Text(str(out)), title_justify="left", box=None, pad_edge=False)
    for name in ("status", "reason"):
        table.add_column(name)
    table.add_column("items", justify="right")
    for status, reason, items in summarise(out).iter_rows():
        table.add_row(status, reason or "", f"{items:,}")
    console = Console()
    console.print(table, width=min(console.width, 80))
