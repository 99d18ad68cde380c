"""Files of vectors and of their ids that are damaged, odd or hostile."""

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
from prism_rec.data.feature_table import Catalogue
from prism_rec.data.vectors import table_from
from prism_rec.features.vectors_file import read_vectors_file


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


def _zip(content: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in content.items():
            archive.writestr(name, body)
    return file.getvalue()


def _zip_bomb() -> bytes:
    names = ("archive/data.pkl", "archive/version", "archive/data/0")
    return _zip(dict.fromkeys(names, bytes(50_000_000)))


def _safetensors(header: bytes, rest: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + rest


def _header(kind: str, shape: list[int], size: int) -> bytes:
    tensor = {"dtype": kind, "shape": shape, "data_offsets": [0, size]}
    return _safetensors(json.dumps({"vectors": tensor}).encode(), bytes(size))


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


def odd_vectors() -> dict[str, bytes]:
    """Return further content of files by name: odd types of numbers, odd tables, files that lie about themselves."""
    n = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    v = torch.from_numpy(n)
    far = np.full((12, 4), np.nan)
    files = {
        "columns first.npy": _npy(np.asfortranarray(n)),
        "other order of bytes.npy": _npy(n.astype(">f8")),
        "long.npy": _npy(n.astype(np.longdouble)),
        "texts.npy": _npy(np.full((12, 4), b"x")),
        "void.npy": _npy(np.zeros((12, 4), "V16")),
        "spans.npy": _npy(np.zeros((12, 4), "m8[s]")),
        "one number.npy": _npy(np.float32(1)),
        "no width.npy": _npy(n[:, :0]),
        "no rows.npy": _npy(n[:0]),
        "more rows.npy": _npy(np.tile(n, (3, 1))),
        "nan.npy": _npy(far),
        "infinity.npy": _npy(far * 0 + np.inf),
        "nearly infinity.npy": _npy(np.full((12, 4), 1e300)),
        "all zero.npy": _npy(n * 0),
        "largest.npy": _npy(np.full((12, 4), 2**64 - 1, np.uint64)),
        "program in the header.npy": _npy_of("__import__('os').getcwd()"),
        "sum in the header.npy": _npy_of("(" + "+".join("1" * 3000) + ", 4)"),
        "floats in the header.npy": _npy_of("(12.0, 4)"),
        "texts in the header.npy": _npy_of("('12', 4)"),
        "many axes.npy": _npy_of("(" + "1," * 60 + ")", rest=bytes(4)),
        "unknown type.npy": _npy_of("(12, 4)", "zz9"),
        "objects in the header.npy": _npy_of("(12, 4)", "|O", b"cos\nsystem\n"),
        "long header.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{",
        "version 9.npy": b"\x93NUMPY\x09\x00" + bytes(200),
        "header twice.npy": _npy(n)[:128] + _npy(n),
    }
    files |= {
        "whole numbers.safetensors": save_tensors({"vectors": v.long()}),
        "booleans.safetensors": save_tensors({"vectors": v > 0}),
        "one number.safetensors": save_tensors({"vectors": torch.tensor(1.0)}),
        "nothing.safetensors": save_tensors({}),
        "no rows.safetensors": save_tensors({"vectors": v[:0]}),
        "complex.safetensors": save_tensors({"vectors": v.to(torch.complex64)}),
        "not text.safetensors": _safetensors(b"\xff\xfe{}"),
        "key twice.safetensors": _safetensors(
            b'{"vectors":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"vectors":{}}', bytes(4)
        ),
        "odd type.safetensors": _header("F99", [12, 4], 192),
        "negative shape.safetensors": _header("F32", [-12, -4], 192),
        "overflowing shape.safetensors": _header("F32", [2**62, 2**62], 192),
        "shape of nothing and all.safetensors": _header("F32", [0, 2**62], 0),
        "fewer bytes.safetensors": _header("F32", [12, 4], 100),
        "facts that are no texts.safetensors": _safetensors(b'{"__metadata__":{"a":1}}'),
        "list as header.safetensors": _safetensors(b"[]"),
    }
    lists = [one.tolist() for one in n]
    files |= {
        "two widths.parquet": _parquet(item_id=IDS, v=[*lists[:11], [1.0]]),
        "empty lists.parquet": _parquet(item_id=IDS, v=pl.Series([[]] * 12, dtype=pl.List(pl.Float32))),
        "nulls in lists.parquet": _parquet(item_id=IDS, v=[[1.0, None]] * 12),
        "null for a list.parquet": _parquet(item_id=IDS, v=[None, *lists[1:]]),
        "lists of lists.parquet": _parquet(item_id=IDS, v=[[[1.0]]] * 12),
        "lists of texts.parquet": _parquet(item_id=IDS, v=[["1.0"]] * 12),
        "structs.parquet": _parquet(item_id=IDS, v=[{"a": 1.0}] * 12),
        "lists of structs.parquet": _parquet(item_id=IDS, v=[[{"a": 1.0}]] * 12),
        "bytes.parquet": _parquet(item_id=IDS, v=[n[0].tobytes()] * 12),
        "numbers as texts.parquet": _parquet(item_id=IDS, v=["[0.1, 0.2]"] * 12),
        "dates.parquet": _parquet(item_id=IDS, v=pl.Series(range(12)).cast(pl.Date)),
        "decimals.parquet": _parquet(item_id=IDS, v=pl.Series(["1.5"] * 12).cast(pl.Decimal(38, 10))),
        "wide numbers.parquet": _parquet(item_id=IDS, v=pl.Series([2**100] * 12, dtype=pl.Int128)),
        "booleans.parquet": _parquet(item_id=IDS, v=[True] * 12),
        "nan.parquet": _parquet(item_id=IDS, v=[[float("nan")] * 4] * 12),
        "two columns of lists.parquet": _parquet(item_id=IDS, v=lists, w=lists),
        "list and number.parquet": _parquet(item_id=IDS, v=lists, w=range(12)),
        "only ids.parquet": _parquet(item_id=IDS),
        "id twice.parquet": _parquet(item_id=["i1"] * 12, v=lists),
        "null as id.parquet": _parquet(item_id=[None, *IDS[1:]], v=lists),
        "decimal id.parquet": _parquet(item_id=np.arange(12) + 0.5, v=lists),
        "list as id.parquet": _parquet(item_id=[["i1"]] * 12, v=lists),
        "other ids.parquet": _parquet(item_id=[f"x{one}" for one in IDS], v=lists),
        "bomb of lists.parquet": _parquet(item_id=["i1"], v=pl.Series([np.zeros(10**8, np.int8)])),
        "bomb of rows.parquet": _parquet(item_id=pl.repeat("i1", 5 * 10**7, eager=True)),
    }
    files |= {
        "bools.pt": _pt(v > 0),
        "complex.pt": _pt(v.to(torch.complex64)),
        "half.pt": _pt(v.half()),
        "quantised.pt": _pt(torch.quantize_per_tensor(v, 0.1, 0, torch.qint8)),
        "one number.pt": _pt(torch.tensor(1.0)),
        "cube.pt": _pt(v[None]),
        "no rows.pt": _pt(v[:0]),
        "nan.pt": _pt(v * torch.nan),
        "list of tensors.pt": _pt(list(v)),
        "array.pt": _pt({"vectors": n, "ids": IDS}),
        "map of lists.pt": _pt({one: [1.0, 2.0] for one in IDS}),
        "several maps.pt": _pt({"vectors": {"a": v}, "ids": IDS}),
        "fewer ids.pt": _pt({"vectors": v, "ids": IDS[:5]}),
        "numbers as ids.pt": _pt({"vectors": v, "ids": list(range(12))}),
        "tensor of ids.pt": _pt({"vectors": v, "ids": torch.arange(12)}),
        "decimal ids.pt": _pt({"vectors": v, "ids": [0.5] * 12}),
        "expanded.pt": _pt({"vectors": v[:1, :1].expand(30_000, 30_000), "ids": IDS}),
        "nested.pt": _pt(torch.nested.nested_tensor([v[0], v[1, :2]])),
        "model.pt": _pt(torch.nn.Linear(2, 2).state_dict()),
        "many files.pt": _zip({f"archive/data/{place}": b"" for place in range(20_000)}),
        "outside.pt": _zip({"../../x": b"1", "archive/data.pkl": b"\x80\x02N."}),
        "no pickle.pt": _zip({"a.txt": b"x"}),
    }
    files |= {
        f"matrix.{ending}": _npy(n)
        for ending in ("npz", "csv", "txt", "h5", "pkl", "bin", "NPY", "feather", "arrow", "json", "gz")
    }
    return files


def ids_files() -> dict[str, bytes]:
    """Return contents of the file of ids next to a right matrix, by name."""
    ids = "\n".join(IDS).encode()
    return {
        "empty": b"",
        "blank": b"\n" * 12,
        "fewer": ids[:20],
        "more": ids + b"\ni12\ni13",
        "twice": ids.replace(b"i3", b"i4"),
        "a blank line": ids.replace(b"i3\n", b"\n"),
        "spaces": ids.replace(b"i3", b"  "),
        "ends of windows": ids.replace(b"\n", b"\r\n"),
        "carriage returns": ids.replace(b"\n", b"\r"),
        "mark": b"\xef\xbb\xbf" + ids,
        "utf-16": ids.decode().encode("utf-16"),
        "latin-1": ids.replace(b"i3", b"\xfc"),
        "zero bytes": ids.replace(b"i3", b"i\x003"),
        "zeros": bytes(100),
        "header": b"item_id\n" + ids,
        "in quotes": b'"' + ids.replace(b"\n", b'"\n"') + b'"',
        "columns": ids.replace(b"\n", b",x\n"),
        "packed": gzip.compress(ids),
        "bomb": gzip.compress(b"i1\n" * 80_000_000, 1),
        "long line": b"x" * 50_000_000,
        "of others": ids.replace(b"i", b"x"),
        "control characters": ids.replace(b"i3", b"\x1b[2J"),
        "list": str(IDS).encode(),
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    }


def cases(folder: Path) -> list[Case]:
    """Write all files of vectors and of ids, and return how each is read."""
    found = []
    for name, body in {**vector_files(), **odd_vectors()}.items():
        path = folder / name
        path.write_bytes(body)
        path.with_suffix(".ids.txt").write_text("\n".join(IDS))
        found.append(Case(f"vectors {name}", partial(read_vectors, str(path))))
    for name, body in ids_files().items():
        path = folder / f"ids {name}.npy"
        path.write_bytes(_npy(np.eye(12, 4)))
        path.with_suffix(".ids.txt").write_bytes(body)
        found.append(Case(f"ids {name}", partial(read_vectors, str(path))))
    return found


def read_vectors(given: str) -> None:
    """Read vectors and align them to items, as `prepare` does."""
    matrix, ids, _ = read_vectors_file(given)
    table_from("image", (matrix, ids), Catalogue(pl.Series(IDS), pl.Series([], dtype=pl.String)), True)
