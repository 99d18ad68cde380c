"""`prism-rec images`: URLs or local photos to a folder of checked pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prism_rec.errors import InputError

Out = Annotated[Path, typer.Option(help="Folder to write, or to go on with.")]
SourceTable = Annotated[
    Path | None,
    typer.Option(
        help="Table (.parquet, .csv, .tsv) of item ids and URLs or names of photos; a list, or several rows, "
        "for an item with several, the best first. Default: the table that the folder was begun with."
    ),
]
Local = Annotated[Path | None, typer.Option(help="Folder, zip or tar with the photos that the table names.")]
ItemColumn = Annotated[str, typer.Option(help="The table's column of item ids.")]
SourceColumn = Annotated[str, typer.Option(help="The table's column of URLs or names.")]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Only what failed for a reason that may pass; what was never tried waits."
    ),
]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help="Everything again, as after a higher limit; pictures at hand by ETag, and kept if there is none "
        "newer.",
    ),
]
Size = Annotated[int, typer.Option(help="Shorter side of a stored picture in pixels.")]
Connections = Annotated[int, typer.Option(help="Requests under way at a time.")]
PerHost = Annotated[int, typer.Option(help="Requests under way to one host.")]
Attempts = Annotated[int, typer.Option(help="Requests for one picture in one run.")]
Timeout = Annotated[float, typer.Option(help="Seconds to connect, and between arrivals.")]
MaxBytes = Annotated[int, typer.Option(help="Most bytes of one picture.")]
MaxPixels = Annotated[int, typer.Option(help="Most pixels of one picture.")]
AllowPrivate = Annotated[
    bool,
    typer.Option("--allow-private", help="Contact private, loopback and link-local addresses too."),
]


def images(
    out: Out,
    table: SourceTable = None,
    local: Local = None,
    item_column: ItemColumn = "item_id",
    source_column: SourceColumn = "images",
    retry_failed: RetryFailed = False,
    refresh: Refresh = False,
    size: Size = 224,
    connections: Connections = 32,
    per_host: PerHost = 16,
    attempts: Attempts = 4,
    timeout: Timeout = 20.0,
    max_bytes: MaxBytes = 16 * 2**20,
    max_pixels: MaxPixels = 50_000_000,
    allow_private: AllowPrivate = False,
) -> None:
    """Gather one checked, resized picture an item; safe to kill and to call again.

    A run visits what has no settled outcome: what was never tried, and what failed for a reason that may pass
    (network, timeout, 429, 5xx, cut short). Pictures at hand and failures for good (404, not a picture, too
    large, address refused) are left alone, unless --refresh; a refused address is visited with
    --allow-private. What became of each item is in pictures.parquet of the folder.

    For instance:

        prism-rec images --table prepared/items.parquet --out images

        prism-rec images --out images --retry-failed
    """
    from prism_rec.features.images.options import GatherOptions
    from prism_rec.features.images.run import run_gathering

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
    run_gathering(table, out, GatherOptions.parse(settings, "images"))
    _show(out)


def _show(out: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from prism_rec.features.images.table import summarise

    table = Table(title=Text(str(out)), title_justify="left", box=None, pad_edge=False)
    for name in ("status", "reason"):
        table.add_column(name)
    table.add_column("items", justify="right")
    found = list(summarise(out).iter_rows())
    for status, reason, items in found:
        table.add_row(status, reason or "", f"{items:,}")
    console = Console()
    console.print(table, width=min(console.width, 80))
    if any(status == "retry" for status, _, _ in found):
        typer.echo(f"retry: may pass; prism-rec images --out {out} --retry-failed")
    if any(reason == "address-refused" for _, reason, _ in found):
        typer.echo("address-refused: not on the public internet; --allow-private if you trust the table")
