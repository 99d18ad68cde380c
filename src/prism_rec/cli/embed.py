"""`prism-rec embed`: texts or pictures of items to vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_rec.errors import InputError

if TYPE_CHECKING:
    from prism_rec.features.contents import Contents

Out = Annotated[Path, typer.Option(help="Folder to write; what it has already is not encoded again.")]
Items = Annotated[
    Path | None,
    typer.Option(help="Texts: a table with item_id (.csv, .tsv, .parquet), or a folder of prepare."),
]
Fields = Annotated[
    str,
    typer.Option(help="Texts: the columns that make them up, in this order: title,description,brand."),
]
Pictures = Annotated[
    Path | None,
    typer.Option(help="Pictures: a folder of the command images, or of files named ITEM_ID.jpg."),
]
PictureTable = Annotated[
    Path | None,
    typer.Option(help="Table with item_id and file, where the files in --pictures have other names."),
]
Encoder = Annotated[
    str,
    typer.Option(
        help="A Hugging Face model's name or folder (CLIP, SigLIP, DINOv2, text encoders); or hashed-text or "
        "picture-descriptors, which need no download."
    ),
]
Revision = Annotated[str, typer.Option(help="Branch, tag or commit of the model on the hub.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Cut texts here. Default: where the model must.")]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Pictures, or texts of full length, that go through a model at a time. Default: what suits it.",
    ),
]
Precision = Annotated[
    Literal["auto", "float32", "float16", "bfloat16"],
    typer.Option(help="Number format of the model; auto: float16 on a GPU, float32 elsewhere."),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
EngineName = Annotated[
    Literal["local", "ray"],
    typer.Option(help="local: this machine. ray: the cluster at RAY_ADDRESS, else Ray on this machine."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="local: processes that decode pictures (default: what suits the machine). "
        "ray: copies of the encoder (default: 2).",
    ),
]


def embed(
    out: Out,
    items: Items = None,
    fields: Fields = "title",
    pictures: Pictures = None,
    picture_table: PictureTable = None,
    encoder: Encoder = "openai/clip-vit-base-patch32",
    revision: Revision = "main",
    max_tokens: MaxTokens = None,
    batch_size: BatchSize = None,
    precision: Precision = "auto",
    device: Device = "auto",
    engine: EngineName = "local",
    workers: Workers = None,
) -> None:
    """Turn texts or pictures of items into unit vectors.

    Items without a text or a picture get none. A run that was killed goes on where it was; a run after new
    items came encodes those alone. Prepare takes the folder as --features NAME=FOLDER.

    For instance:

        prism-rec embed --items data/beauty --fields title,brand --out vectors/text

        prism-rec embed --pictures images --encoder facebook/dinov2-base --out vectors/image
    """
    from prism_rec.features.embed import embed as run
    from prism_rec.features.options import EmbedOptions

    settings = {
        "fields": [] if items is None else [name.strip() for name in fields.split(",")],
        "encoder": encoder,
        "revision": revision,
        "max_tokens": max_tokens,
        "batch_size": batch_size,
        "precision": precision,
        "device": device,
        "engine": engine,
        "workers": workers,
    }
    options = EmbedOptions.parse(settings, "embed")
    if items is not None and pictures is None:
        contents, files = _texts(items, options.fields)
    elif pictures is not None and items is None:
        contents, files = _pictures(pictures, picture_table)
    else:
        raise InputError("embed needs --items (for texts) or --pictures, one of them")
    summary = run(
        contents,
        options.find_encoder(),
        out,
        engine=options.make_engine(),
        config=options.what_is_made(),
        inputs=files,
        progress=True,
    )
    typer.echo("\n".join([f"{out}:", *summary.tell()]))


def _texts(items: Path, fields: tuple[str, ...]) -> tuple[Contents, list[Path]]:
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.contents import texts_of

    path = items / "items.parquet" if items.is_dir() else items
    with reading(str(path)):
        return texts_of(scan_table(path).collect(), fields, str(path)), [path]


def _pictures(folder: Path, table: Path | None) -> tuple[Contents, list[Path]]:
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.contents import pictures_of
    from prism_rec.folders import MANIFEST

    if table is None:
        return pictures_of(folder), [path for path in [folder / MANIFEST] if path.is_file()]
    with reading(str(table)):
        return pictures_of(folder, scan_table(table).collect()), [table]
