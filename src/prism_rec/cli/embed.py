"""`prism-rec embed`: texts or pictures of items to vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_rec.errors import InputError

if TYPE_CHECKING:
    from prism_rec.features.contents import Contents
    from prism_rec.features.embed import Summary


def embed(
    out: Annotated[Path, typer.Option(help="Folder to write; what it has already is not encoded again.")],
    items: Annotated[
        Path | None,
        typer.Option(help="Texts: a table with item_id (.csv, .tsv, .parquet), or a folder of prepare."),
    ] = None,
    fields: Annotated[
        str, typer.Option(help="Columns that make up the text, in this order: title,description,brand.")
    ] = "title",
    pictures: Annotated[
        Path | None,
        typer.Option(help="Pictures: a folder of the command images, or of files named ITEM_ID.jpg."),
    ] = None,
    picture_table: Annotated[
        Path | None,
        typer.Option(help="Table with item_id and file, where the files in --pictures have other names."),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            help="A Hugging Face model's name or folder; or hashed-text or picture-descriptors, which need "
            "no download."
        ),
    ] = "openai/clip-vit-base-patch32",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of the model on the hub.")] = "main",
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Cut texts here. Default: where the model must.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pictures, or texts of full length, that go through a model at a time. Default: what suits it.",
        ),
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "float16", "bfloat16"],
        typer.Option(help="Number format of the model; auto: float16 on a GPU, float32 elsewhere."),
    ] = "auto",
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="local: this machine. ray: a Ray cluster.")
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="local: processes that decode pictures (default: what suits the machine). "
            "ray: copies of the encoder (default: 2).",
        ),
    ] = None,
) -> None:
    """Turn texts or pictures of items into unit vectors.

    Items without a text or a picture get none. A run that was killed goes on where it was; a run after new
    items came encodes those alone.
    """
    from prism_rec.features.embed import embed as run
    from prism_rec.features.encoders.find import find_encoder

    contents, files = _contents(items, fields, pictures, picture_table)
    summary = run(
        contents,
        find_encoder(
            encoder,
            contents.modality,
            revision=revision,
            max_tokens=max_tokens,
            batch_size=batch_size,
            precision=precision,
        ),
        out,
        engine=_engine(engine, workers),
        config={"encoder": encoder, "revision": revision, "max_tokens": max_tokens, "precision": precision}
        | ({"fields": _names(fields)} if contents.modality == "text" else {}),
        inputs=files,
        progress=True,
    )
    _show(summary, out)


def _contents(
    items: Path | None, fields: str, pictures: Path | None, picture_table: Path | None
) -> "tuple[Contents, list[Path]]":
    from prism_rec.data.reading import reading
    from prism_rec.data.sources.files import scan_table
    from prism_rec.features.contents import pictures_of, texts_of

    if (items is None) == (pictures is None):
        raise InputError("embed needs --items (for texts) or --pictures, one of them")
    if items is not None:
        path = items / "items.parquet" if items.is_dir() else items
        with reading(str(path)):
            return texts_of(scan_table(path).collect(), _names(fields), str(path)), [path]
    assert pictures is not None
    if picture_table is None:
        return pictures_of(pictures), []
    with reading(str(picture_table)):
        return pictures_of(pictures, scan_table(picture_table).collect()), [picture_table]


def _names(fields: str) -> list[str]:
    return [name.strip() for name in fields.split(",")]


def _engine(name: str, workers: int | None):  # type: ignore[no-untyped-def]
    if name == "ray":
        from prism_rec.features.engines.ray import RayEngine

        return RayEngine() if workers is None else RayEngine(workers)
    from prism_rec.features.engines.local import LocalEngine

    return LocalEngine(workers)


def _show(summary: "Summary", out: Path) -> None:
    lines = [
        f"{summary.present:,} of {summary.items:,} items have a vector of {summary.width} numbers in {out}",
        f"encoded now {summary.encoded:,}, there before {summary.reused:,}",
    ]
    lines += [f"absent, {reason}: {count:,}" for reason, count in summary.absent.items()]
    if summary.token_limit is not None:
        lines.append(f"texts cut at {summary.token_limit} tokens: {summary.truncated:,}")
    typer.echo("\n".join(lines))
