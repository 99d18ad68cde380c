"""Tables of events with odd columns, as Parquet and as text; and Parquet files that grow or lie."""

import datetime
import decimal
import gzip
import io
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fuzz.good_dumps import ROWS, TIME

_N = len(ROWS)
_GOOD = {
    "user_id": [row[0] for row in ROWS],
    "item_id": [row[1] for row in ROWS],
    "timestamp": [row[2] for row in ROWS],
}


def _polars(**columns: Any) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({**_GOOD, **columns}, strict=False).write_parquet(file)
    return file.getvalue()


def _arrow(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({**_GOOD, **columns}), file, **options)
    return file.getvalue()


def odd_columns() -> dict[str, Any]:
    """Return columns of as many values as there are rows."""
    return {
        "lists": [["i1"]] * _N,
        "empty lists": pl.Series([[]] * _N, dtype=pl.List(pl.String)),
        "structs": [{"a": 1}] * _N,
        "lists of structs": [[{"a": 1}]] * _N,
        "nulls": [None] * _N,
        "booleans": [True] * _N,
        "floats": [1.5] * _N,
        "whole floats": [float(n % 5) for n in range(_N)],
        "nan": [float("nan")] * _N,
        "infinity": [float("inf")] * _N,
        "decimals": [decimal.Decimal("1.5")] * _N,
        "unsigned": pl.Series([2**64 - 1] * _N, dtype=pl.UInt64),
        "smallest": pl.Series([-(2**63)] * _N, dtype=pl.Int64),
        "wide": pl.Series([2**100] * _N, dtype=pl.Int128),
        "bytes": [b"\xff\x00"] * _N,
        "spans": pl.Series([1] * _N).cast(pl.Duration),
        "clocks": pl.Series([1] * _N).cast(pl.Time),
        "dates": [datetime.date(2018, 2, 3)] * _N,
        "first dates": pl.Series([-(2**31)] * _N, dtype=pl.Int32).cast(pl.Date),
        "moments in nanoseconds": pl.Series([2**63 - 1] * _N).cast(pl.Datetime("ns")),
        "moments of a zone": pl.Series([TIME * 1000] * _N).cast(pl.Datetime("ms", "Europe/Berlin")),
        "categories": pl.Series(["a", "b"] * (_N // 2), dtype=pl.Categorical),
        "arrays": pl.Series([[1.0, 2.0]] * _N, dtype=pl.Array(pl.Float32, 2)),
        "empty texts": [""] * _N,
        "long texts": ["x" * 10_000] * _N,
        "control characters": ["\x1b[2J\x07\u202e"] * _N,
        "zero bytes": ["a\0b"] * _N,
    }


def odd_parquet() -> dict[str, bytes]:
    """Return Parquet files by name."""
    roles = ("user_id", "item_id", "timestamp", "rating", "event", "history", "other")
    files = {
        f"{role}: {odd}.parquet": _polars(**{role: column})
        for odd, column in odd_columns().items()
        for role in roles
    }
    whole = _polars()
    files |= {
        "parquet cut": whole[:-30],
        "parquet without end": whole[:-8],
        "parquet of zeros": bytes(len(whole)),
        "parquet packed": gzip.compress(whole),
        "csv as parquet": b"user_id,item_id\n1,2\n",
        "parquet empty": b"",
        "parquet long footer": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        "parquet encrypted": whole[:-4] + b"PARE",
        "parquet footer flipped": _flip(whole, len(whole) - 60),
        "parquet page flipped": _flip(whole, 40),
    }
    files |= {f"parquet flipped at {place}": _flip(whole, place * len(whole) // 25) for place in range(1, 25)}
    files |= {
        "parquet of brotli": _arrow({}, compression="brotli"),
        "parquet of lz4": _arrow({}, compression="lz4"),
        "parquet of many groups": _arrow({}, row_group_size=1),
        "parquet version 1": _arrow({}, version="1.0"),
        "parquet byte splits": _arrow(
            {"x": pa.array(np.ones(_N, np.float32))},
            use_dictionary=False,
            column_encoding={"x": "BYTE_STREAM_SPLIT"},
        ),
        "parquet of halves": _arrow({"rating": pa.array(np.ones(_N, np.float16))}),
        "parquet of maps": _arrow({"other": pa.array([[("a", 1)]] * _N, pa.map_(pa.string(), pa.int64()))}),
        "parquet of dictionaries": _arrow({"item_id": pa.array(_GOOD["item_id"]).dictionary_encode()}),
        "parquet of large texts": _arrow({"item_id": pa.array(_GOOD["item_id"], pa.large_string())}),
        "parquet of wide decimals": _arrow(
            {"timestamp": pa.array([decimal.Decimal(10**50)] * _N, pa.decimal256(60))}
        ),
        "parquet deep": _arrow({"other": _deep(40)}),
        "parquet with a name twice": _twice(),
        "parquet of 5,000 columns": _polars(**{f"c{n}": [0] * _N for n in range(5000)}),
        "parquet without rows": _no_rows(),
        "parquet without columns": _no_columns(),
        "parquet bomb of numbers": _grown(np.zeros(10**8, np.int8)),
        "parquet bomb of texts": _grown(pl.repeat("x" * 12, 10**7, eager=True)),
        "parquet bomb of nulls": _grown(pl.repeat(None, 5 * 10**7, dtype=pl.Int64, eager=True)),
        "parquet just below the limit": _grown(pl.repeat(7, 3 * 10**7, dtype=pl.Int64, eager=True)),
    }
    return files


def odd_texts() -> dict[str, bytes]:
    """Return CSV files by name."""
    rows = "".join(f"{user},{item},{time}\n" for user, item, time in ROWS)
    heads = {
        "names twice": "user_id,user_id,timestamp",
        "names empty": ",,",
        "names of spaces": " user_id , item_id , timestamp ",
        "names in capitals": "USER_ID,Item_ID,TimeStamp",
        "names in quotes": '"user_id","item_id","timestamp"',
        "names with a mark": "\ufeffuser_id,item_id,timestamp",
        "one name": "user_id",
        "more names": "user_id,item_id,timestamp,rating,x",
        "numbers as names": "1,2,3",
        "names of roles": "user,item,time",
        "names with a zero byte": "user_id,item\0_id,timestamp",
        "names with control characters": "user_id,item_id,\x1b[2Jtimestamp",
        "reserved names": "user_id,item_id,timestamp,row",
        "long name": "user_id,item_id," + "x" * 100_000,
        "names twice in another letter": "user_id,item_id,timestamp,Timestamp",
        "role of items and history": "user_id,item_id,history",
        "part": "user_id,item_id,part",
    }
    found = {name: f"{head}\n{rows}".encode() for name, head in heads.items()}
    names = "user_id,item_id,timestamp\n"
    found |= {
        "fewer fields": (names + rows.replace(f",{TIME + 2}", "")).encode(),
        "more fields": (names + rows.replace(str(TIME + 2), f"{TIME + 2},x,y")).encode(),
        "separators at the end": (names + rows.replace("\n", ",\n")).encode(),
        "another separator below": (names + rows.replace(",", ";")).encode(),
        "tabs and commas": (names + rows.replace(",", "\t,")).encode(),
        "spaces around": (names + rows.replace(",", " , ")).encode(),
        "decimal commas": (names + rows.replace(str(TIME), f'"{TIME},5"')).encode(),
        "thousands": (names + rows.replace(str(TIME), '"1,400,000,000"')).encode(),
        "quotes within": (names + rows.replace("u3", '"u""3"')).encode(),
        "quotes within, wrong": (names + rows.replace("u3", 'u"3')).encode(),
        "lines within quotes": (names + rows.replace("u3", '"u\n3"')).encode(),
        "names again in the middle": (names + rows + names + rows).encode(),
        "one row": f"{names}u1,i1,{TIME}\n".encode(),
        "one user": (names + rows.replace("u", "u1 ")).encode(),
        "one item": (names + "".join(f"u{n},i1,{TIME + n}\n" for n in range(60))).encode(),
        "equal times": (names + "".join(f"{u},{i},5\n" for u, i, _ in ROWS)).encode(),
        "excel": ("sep=,\n" + names + rows).encode(),
        "dates of people": (names + "".join(f"{u},{i},03/04/2018\n" for u, i, _ in ROWS)).encode(),
        "dates of two forms": (
            names
            + "".join(
                f"{u},{i},{'2018-03-04' if n % 2 else '04.03.2018'}\n" for n, (u, i, _) in enumerate(ROWS)
            )
        ).encode(),
        "times of the clock": (
            names + "".join(f"{u},{i},12:30:0{n % 9}\n" for n, (u, i, _) in enumerate(ROWS))
        ).encode(),
        "negative times": (names + "".join(f"{u},{i},-{t}\n" for u, i, t in ROWS)).encode(),
        "times of 2**63": (
            names + "".join(f"{u},{i},{2**63 - 1 - n}\n" for n, (u, i, _) in enumerate(ROWS))
        ).encode(),
        "times with exponents": (names + "".join(f"{u},{i},1.4e9\n" for u, i, _ in ROWS)).encode(),
        "gzip bomb of rows": gzip.compress(names.encode() + b"u,i,1\n" * 42_000_000, 1),
        "gzip bomb of one line": gzip.compress(names.encode() + b"u" * 250_000_000, 1),
        "gzip bomb of separators": gzip.compress(names.encode() + b"," * 200_000_000, 1),
        "gzip bomb in the header": gzip.compress(b"a," * 100_000_000, 1),
    }
    return found


def _flip(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 255]) + body[place + 1 :]


def _deep(levels: int) -> pa.Array:
    values = pa.array([1] * _N)
    for _ in range(levels):
        values = pa.StructArray.from_arrays([values], ["a"])
    return values


def _twice() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(_GOOD["user_id"])] * 2, names=["user_id", "user_id"]), file)
    return file.getvalue()


def _no_rows() -> bytes:
    file = io.BytesIO()
    pl.DataFrame(_GOOD).clear().write_parquet(file)
    return file.getvalue()


def _no_columns() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({}), file)
    return file.getvalue()


def _grown(column: Any) -> bytes:
    file = io.BytesIO()
    frame = pl.DataFrame({"user_id": column})
    frame.with_columns(item_id="user_id", timestamp=pl.lit(5)).write_parquet(file)
    return file.getvalue()
