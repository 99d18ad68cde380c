"""`prism-rec export`: a dataset for another library."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    data: Annotated[Path, typer.Argument(help="A folder that prepare has written.")],
    form: Annotated[
        Literal["recbole", "mmrec"],
        typer.Option("--to", help="recbole: atomic files. mmrec: a folder with x_label and matrices."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; files are named after it.")],
) -> None:
    """Write a dataset as RecBole or MMRec read it; prepare reads both back.

    For instance:

        prism-rec export data/beauty --to recbole --out recbole/beauty
    """
    from prism_rec.data.dataset import Dataset
    from prism_rec.data.exports import export as run

    run(Dataset.load(data), form, out)
    typer.echo(f"wrote {out}")
