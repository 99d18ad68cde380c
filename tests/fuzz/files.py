"""Files of vectors and YAML files that are damaged, odd or hostile."""

import gzip
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import save as save_tensors

from fuzz.world import IDS, Case
from prism_rec.comparison.recipe import read_recipe
from prism_rec.features.vectors_file import read_vectors_file
from prism_rec.training.config import RunConfig
from prism_rec.tuning.search import read_search


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def _pt(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def _npy_of(shape: str, kind: str = "<f4", rest: bytes = b"") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + rest


def _zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("archive/data.pkl", "archive/version", "archive/data/0"):
            archive.writestr(name, bytes(50_000_000))
    return file.getvalue()


NO_VECTORS = pl.Series([], dtype=pl.List(pl.Float32))


class _Hostile:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("this must never run",)


def vector_files() -> dict[str, bytes]:
    """Return the content of files by name; the ending says the format."""
    v = torch.randn(12, 4)
    n = v.numpy()
    whole = {
        "npy": _npy(n),
        "safetensors": save_tensors({"vectors": v}),
        "pt": _pt(v),
        "parquet": _parquet(item_id=IDS, v=n),
    }
    files = {f"empty.{ending}": b"" for ending in whole}
    for ending, body in whole.items():
        files |= {
            f"whole.{ending}": body,
            f"cut.{ending}": body[: len(body) // 2],
            f"text.{ending}": b"a,b\n1,2\n",
        }
        files |= {
            f"flipped.{ending}": body[:20] + bytes([body[20] ^ 255]) + body[21:],
            f"zip.{ending}": gzip.compress(body),
        }
        files |= {f"zeros.{ending}": bytes(len(body)), f"twice.{ending}": body + body}
    files |= {
        f"npy {kind}.npy": _npy(n.astype(kind))
        for kind in ("f2", "f8", "c8", "i8", "u1", "b1", "U4", "O", "M8[s]")
    }
    files |= {
        "records.npy": _npy(np.zeros(12, [("a", "f4")])),
        "map.npy": _npy(np.array({"a": n})),
        "line.npy": _npy(n[0]),
        "cube.npy": _npy(n[None]),
        "huge.npy": _npy_of("(10000000000, 4)"),
        "overflow.npy": _npy_of(f"({2**62}, {2**62})"),
        "negative.npy": _npy_of("(-1, 4)"),
        "deep.npy": _npy_of("(" * 40 + ")" * 40),
        "archive.npy": (lambda file: (np.savez(file, a=n), file.getvalue())[1])(io.BytesIO()),
        "other name.safetensors": save_tensors({"x": v}),
        "bfloat16.safetensors": save_tensors({"vectors": v.bfloat16()}),
        "float8.safetensors": save_tensors({"vectors": v.to(torch.float8_e4m3fn)}),
        "long header.safetensors": struct.pack("<Q", 2**62) + b"{}",
        "deep header.safetensors": struct.pack("<Q", 20_000) + b"[" * 10_000 + b"]" * 10_000,
        "wrong offsets.safetensors": (
            lambda head: struct.pack("<Q", len(head)) + head
        )(json.dumps({"vectors": {"dtype": "F32", "shape": [2**40, 4], "data_offsets": [0, 2**44]}}).encode()),
        "gradient.pt": _pt({"vectors": v.clone().requires_grad_(), "ids": IDS}),
        "sparse.pt": _pt({"vectors": v.to_sparse(), "ids": IDS}),
        "float8.pt": _pt({"vectors": v.to(torch.float8_e4m3fn), "ids": IDS}),
        "no ids.pt": _pt({"vectors": v, "ids": None}),
        "ids as text.pt": _pt({"vectors": v, "ids": "abcdefghijkl"}),
        "parameters.pt": _pt({one: torch.nn.Parameter(v[place]) for place, one in enumerate(IDS)}),
        "mixed.pt": _pt({"a": v[0], 2: v[1]}),
        "numbers.pt": _pt({"a": 1.0}),
        "nothing.pt": _pt({}),
        "none.pt": _pt(None),
        "hostile.pt": _pt(_Hostile()),
        "pickle.pt": pickle.dumps({"a": 1}),
        "bomb.pt": _zip_bomb(),
        "nulls.parquet": _parquet(item_id=IDS, v=[None] * 12),
        "texts.parquet": _parquet(item_id=IDS, v=["x"] * 12),
        "no ids.parquet": _parquet(v=n),
        "no rows.parquet": _parquet(item_id=pl.Series([], dtype=pl.String), v=NO_VECTORS),
        "unknown.csv": b"item_id,v\n",
    }  # fmt: skip
    return files


def yaml_files() -> dict[str, str]:
    """Return texts of YAML files by name."""
    odd = [
        "",
        "~",
        "5",
        "[]",
        "{}",
        "[1, 2]",
        "- a",
        "a",
        "'",
        '"',
        "{",
        "[",
        "]",
        ":",
        "? a",
        "!!python/object:os.system {}",
    ]
    odd += [
        "!!binary x",
        "2020-13-45",
        "0x",
        "1e999",
        "9" * 5000,
        "-.inf",
        ".nan",
        "\x00",
        "\x07",
        "\ufeff",
        "\t- a",
        "%YAML 3.0",
    ]
    odd += [
        "*a",
        "&a [*a]",
        "&a {b: *a}",
        "<<: *a",
        "--- a\n--- b",
        "a: b: c",
        "a: 1\na: 2",
        "{a: 1, a: 2}",
        "? [a]\n: 1",
    ]
    odd += [
        "[" * 3000 + "]" * 3000,
        "{a: " * 3000 + "}" * 3000,
        "a: [" * 60,
        "- " * 3000,
        "x" * 1_000_000,
        "? " * 2000,
    ]
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    odd += [
        laughs,
        "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(5000)),
        "\n".join(f"k{n}: 1" for n in range(99_999)),
    ]
    keys = ("epochs", "seed", "learning_rate", "metric", "batch_size")
    values = ("x", "[]", "{}", "~", "-1", "1e400", "9" * 40, ".nan")
    odd += [f"train: {{{key}: {value}}}" for key in keys for value in values]
    return {f"{number} {text[:20]!r}": text for number, text in enumerate(odd)}


def cases(folder: Path) -> list[Case]:
    """Write all files and return how each is read."""
    folder.mkdir()
    found = []
    for name, body in vector_files().items():
        path = folder / name
        path.write_bytes(body)
        path.with_suffix(".ids.txt").write_text("\n".join(IDS))
        found.append(Case(f"vectors {name}", partial(read_vectors_file, str(path))))
    for number, (name, text) in enumerate(yaml_files().items()):
        path = folder / f"{number}.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        found.append(Case(f"yaml {name}", partial(_read_yaml, path)))
    return found


def _read_yaml(path: Path) -> None:
    """Read a file as everything that is read from YAML; the first mistake ends it."""
    from prism_rec.config import read_yaml

    RunConfig.parse(read_yaml(path), str(path))
    read_search(path)
    read_recipe(path)
