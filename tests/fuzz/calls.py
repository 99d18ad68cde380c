"""Public Python calls with one argument of an odd type or value."""

import decimal
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch

import prism_rec
from fuzz.world import CONFIG, IDS, Case

_out = count()


def odd_values() -> dict[str, Any]:
    """Return values that a caller may give by mistake, by a name for reports."""
    return {
        "None": None,
        "True": True,
        "0": 0,
        "-1": -1,
        "1.5": 1.5,
        "nan": float("nan"),
        "inf": float("inf"),
        "2**70": 2**70,
        "empty text": "",
        "text": "x",
        "zero byte": "a\0b",
        "half a character": "\ud800",
        "long text": "x" * 5000,
        "slashes": "../../x",
        "bytes": b"x",
        "empty list": [],
        "list of None": [None],
        "list of lists": [[1, 2], [3]],
        "mixed list": ["i1", 2],
        "empty map": {},
        "map": {"x": 1},
        "map of None": {None: None},
        "set": {"i1", "i2"},
        "object": object(),
        "path": Path("nowhere"),
        "float array": np.array([1.0, 2.0]),
        "matrix": np.eye(2),
        "number of numpy": np.int64(1),
        "polars frame": pl.DataFrame({"a": [1]}),
        "polars series": pl.Series(["i1"]),
        "pandas series": pd.Series([1.5]),
        "pandas frame": pd.DataFrame({"a": [None]}),
        "tensor": torch.ones(2, requires_grad=True),
        "function": print,
        "range": range(3),
        "iterator": iter([]),
        "class": dict,
        "tuple of bytes": (b"i1", b"i2"),
        "array of objects": np.array(["i1", None, 2.5], object),
        "view of a map": {"i1": 1}.values(),
        "memory": memoryview(b"i1"),
        "generator": (one for one in ("i1", "i2")),
        "categories": pd.Categorical(["i1", None]),
        "index": pd.Index(["i1", "i2"]),
        "missing of pandas": pd.Series(["i1", pd.NA], dtype="string"),
        "arrow array": pa.array(["i1", None]),
        "arrow table": pa.table({"item_id": ["i1"], "user_id": [None]}),
        "lazy frame": pl.LazyFrame({"item_id": ["i1"]}),
        "words for nothing": ["nan", "None", "null"],
        "odd ids": ["a,b", "it's", '"q"', " i1", "i1 ", "007", "\u00fc", "a\nb"],
        "decimal": decimal.Decimal("1e400"),
    }


def odd_columns() -> dict[str, Any]:
    """Return columns of 90 odd values."""
    return {
        "lists": pl.Series([[1]] * 90),
        "structs": pl.Series([{"a": 1}] * 90),
        "objects": pl.Series([object()] * 90, dtype=pl.Object),
        "nulls": pl.Series([None] * 90),
        "booleans": pl.Series([True] * 90),
        "floats": pl.Series([1.5] * 90),
        "nan": pl.Series([float("nan")] * 90),
        "decimals": pl.Series([decimal.Decimal("1.5")] * 90),
        "wide": pl.Series([2**100] * 90, dtype=pl.Int128),
        "unsigned": pl.Series([2**64 - 1] * 90, dtype=pl.UInt64),
        "bytes": pl.Series([b"\xff"] * 90),
        "spans": pl.Series([1] * 90).cast(pl.Duration),
        "clocks": pl.Series([1] * 90).cast(pl.Time),
        "dates": pl.Series([1] * 90).cast(pl.Date),
        "categories": pl.Series(["a"] * 90, dtype=pl.Categorical),
        "arrays": pl.Series([[1.0, 2.0]] * 90, dtype=pl.Array(pl.Float32, 2)),
        "empty texts": pl.Series([""] * 90),
        "long texts": pl.Series(["x" * 10_000] * 90),
    }


def odd_vectors() -> dict[str, Any]:
    """Return what may be given as the vectors of twelve items."""
    v = torch.randn(12, 4)
    return {
        "gradient": v.clone().requires_grad_(),
        "sparse": v.to_sparse(),
        "bfloat16": v.bfloat16(),
        "float8": v.to(torch.float8_e4m3fn),
        "complex": v.to(torch.complex64),
        "integers": v.long(),
        "meta": torch.empty(12, 4, device="meta"),
        "ragged": [[1.0], [1.0, 2.0]] * 6,
        "texts": [["a"]] * 12,
        "nulls": [None] * 12,
        "empty": [[]] * 12,
        "no width": np.empty((12, 0)),
        "no rows": np.empty((0, 4)),
        "cube": np.ones((12, 2, 2)),
        "masked": np.ma.masked_array(np.ones((12, 4)), mask=np.eye(12, 4)),
        "objects": np.full((12, 4), None),
        "records": np.zeros(12, [("a", "f4")]),
        "dates": np.full((12, 2), "2020-01-01", "datetime64[D]"),
        "huge": np.full((12, 4), 1e300),
        "zeros": np.zeros((12, 4)),
        "nan": np.full((12, 4), np.nan),
        "long double": np.ones((12, 4), np.longdouble),
        "frame": pd.DataFrame(np.eye(12)),
        "text": "abcdefghijkl",
        "list of tensors": [one.requires_grad_() for one in v],
    }


def cases(world: Path) -> list[Case]:
    """Return all calls, in an order that does not change."""
    return [*_of_functions(world), *_of_columns(world), *_of_features(world), *_of_settings()]


def _of_functions(world: Path) -> list[Case]:
    """Every argument of every public function, with every odd value."""
    p, log, items = prism_rec, pl.read_csv(world / "log.csv"), pl.read_csv(world / "items.csv")
    dataset, recommender = p.Dataset.load(world / "data"), p.load(world / "run", "cpu")
    config = p.RunConfig.parse(CONFIG)
    new = pl.DataFrame({"item_id": ["n1"], "title": ["new thing"]})
    ready: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "from_frame": (
            p.Dataset.from_frame,
            {
                "interactions": log,
                "items": items,
                "features": None,
                "users": None,
                "columns": None,
                "time": "absolute",
            }
            | {"min_rating": None, "duplicates": "first", "core": 1, "split": "leave-one-out"}
            | {"allow_unknown_features": False},
        ),
        "from_log": (p.Dataset.from_log, {"log": None, "cleaning": None, "rule": None, "features": None}),
        "with_features": (dataset.with_features, {"features": {}, "known_ids": None, "allow_unknown": False}),
        "Dataset.load": (p.Dataset.load, {"folder": world / "data"}),
        "Dataset.save": (dataset.save, {"folder": world / "saved", "config": None, "inputs": ()}),
        "queries": (dataset.queries, {"part": "test"}),
        "recommend": (
            recommender.recommend,
            {"histories": None, "users": ["u1"], "k": 2, "seen": "keep", "candidates": None, "exclude": None}
            | {"where": None},
        ),
        "recommend histories": (recommender.recommend, {"histories": [["i1"]], "k": 2}),
        "explain": (recommender.explain, {"history": ["i1"], "item": "i2"}),
        "similar_items": (
            recommender.similar_items,
            {"item": "i1", "k": 2, "candidates": None, "where": None},
        ),
        "user_vectors": (recommender.user_vectors, {"users": ["u1"], "histories": None}),
        "history_of": (recommender.history_of, {"user": "u1"}),
        "title_of": (recommender.title_of, {"item": "i1"}),
        "unknown_items": (recommender.unknown_items, {"items": ["i1"]}),
        "unknown_users": (recommender.unknown_users, {"users": ["u1"]}),
        "add_items": (
            p.load(world / "run", "cpu").add_items,
            {"items": new, "features": None, "pictures": None, "encode": True},
        ),
        "Recommender": (p.Recommender, {"run": recommender.run, "batch_size": 2}),
        "load": (p.load, {"folder": world / "run", "device": "cpu"}),
        "Run.load": (p.Run.load, {"folder": world / "run", "device": "cpu"}),
        "train": (p.train, {"config": config, "out": None, "data": dataset, "device": "cpu", "resume": True}),
        "evaluate": (p.evaluate, {"run": world / "run", "part": "test", "device": "cpu"}),
        "prepare": (
            p.prepare,
            {"settings": p.Prepare(source=p.Table(interactions=world / "log.csv")), "out": None},
        ),
        "embed": (
            p.embed,
            {"settings": p.Embed(items=world / "items.csv", encoder=p.HashedText()), "out": None},
        ),
        "images": (
            p.images,
            {
                "settings": p.Images(local=world / "p"),
                "out": None,
                "sources": pl.DataFrame({"item_id": ["a"], "images": ["i1.png"]}),
            },
        ),
        "build": (p.build, {"settings": None, "out": None}),
        "export_data": (
            p.export_data,
            {"settings": p.ExportData(data=world / "data", format={"kind": "recbole"}), "out": None},
        ),
        "compare": (p.compare, {"recipe": None, "out": None, "device": "cpu", "resume": True}),
        "tune": (
            p.tune,
            {"search": None, "out": None, "data": world / "data", "device": "cpu", "resume": True},
        ),
        "read_recipe": (p.read_recipe, {"path": world / "t.yaml", "overrides": (), "data": ()}),
        "read_search": (p.read_search, {"path": world / "t.yaml", "overrides": ()}),
    }
    return [
        Case(f"{name}({argument}={odd})", partial(_call, function, given, argument, value, world))
        for name, (function, given) in ready.items()
        for argument in given
        for odd, value in odd_values().items()
    ]


def _call(
    function: Callable[..., Any], given: Mapping[str, Any], argument: str, value: Any, world: Path
) -> None:
    arguments = {**given, argument: value}
    if argument != "out" and "out" in given:
        arguments["out"] = world / f"out-{next(_out)}"
    function(**arguments)


def _of_columns(world: Path) -> list[Case]:
    """Frames in which one column, used or not, is odd."""
    log, items = pl.read_csv(world / "log.csv"), pl.read_csv(world / "items.csv")
    names = ("user_id", "item_id", "timestamp", "rating", "other")

    def make(name: str, column: pl.Series, where: str) -> None:
        frame = (log if where == "log" else items).with_columns(
            column.head(len(log if where == "log" else items)).alias(name)
        )
        given = (frame, None) if where == "log" else (log, frame)
        prism_rec.Dataset.from_frame(*given).save(world / f"out-{next(_out)}")

    return [
        Case(f"from_frame({where}.{name}: {odd})", partial(make, name, column, where))
        for where in ("log", "items")
        for name in names
        for odd, column in odd_columns().items()
    ]


def _of_features(world: Path) -> list[Case]:
    """Vectors of odd types, with right and odd ids; and odd names."""
    dataset = prism_rec.Dataset.load(world / "data")

    def make(name: Any, given: Any) -> None:
        dataset.with_features({name: given}, allow_unknown=True)

    forms = [
        Case(f"vectors {odd}", partial(make, "image", (value, IDS))) for odd, value in odd_vectors().items()
    ]
    forms += [
        Case(f"vectors by id {odd}", partial(make, "image", dict(zip(IDS, value, strict=False))))
        for odd, value in odd_vectors().items()
        if hasattr(value, "__iter__") and odd not in ("meta", "sparse")
    ]
    matrix = np.eye(12, 4)
    forms += [
        Case(f"ids {odd}", partial(make, "image", (matrix, value))) for odd, value in odd_values().items()
    ]
    names = [
        None,
        5,
        "",
        "score",
        "rank",
        "id",
        "item_id",
        "user_id",
        "title",
        "a/b",
        "..",
        "A",
        "\0",
        "x" * 100,
        "a\n",
    ]
    forms += [Case(f"name {name!r:.20}", partial(make, name, (matrix, IDS))) for name in names]
    columns = [
        Case(f"frame of {odd}", partial(make, "image", pl.DataFrame({"item_id": IDS, "v": column.head(12)})))
        for odd, column in odd_columns().items()
    ]
    return forms + columns


def _of_settings() -> list[Case]:
    """Every field of the settings classes, with odd values."""
    classes = (
        prism_rec.TrainConfig,
        prism_rec.ModelConfig,
        prism_rec.Cleaning,
        prism_rec.TuneConfig,
        prism_rec.HashedText,
    )
    plain = {name: value for name, value in odd_values().items() if name not in ("iterator",)}
    return [
        Case(f"{settings.__name__}({field}={odd})", partial(settings, **{field: value}))
        for settings in classes
        for field in settings.model_fields
        for odd, value in plain.items()
    ]
