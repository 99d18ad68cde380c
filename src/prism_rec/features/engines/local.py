"""Encodes on this machine: texts in this process, pictures decoded by worker processes ahead of the model."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from pydantic import Field

from prism_rec.features.encoders.encoder import Encoded, Encoder, PictureEncoder
from prism_rec.features.engines.engine import Engine, Part, warm_up
from prism_rec.features.pictures import NoPictureError, open_picture

_MOST_WORKERS = 16


class LocalEngine(Engine):
    """Runs the encoder on this machine."""

    kind: Literal["local"] = "local"
    """Name of the engine."""
    workers: int | None = Field(None, ge=0, le=4096)
    """Processes that decode pictures; with 0 the process of the model does it. Default: what suits the machine."""

    def run(self, encoder: Encoder, contents: Sequence[str | Path], part_size: int) -> Iterator[Part]:
        """Encode all contents, in their order."""
        if encoder.encodes == "image":
            yield from self._encode_pictures(
                cast(PictureEncoder, encoder), cast(Sequence[Path], contents), part_size
            )
            return
        for start in range(0, len(contents), part_size):
            batch = contents[start : start + part_size]
            yield Part(list(range(start, start + len(batch))), encoder.encode(batch))

    def _encode_pictures(
        self, encoder: PictureEncoder, paths: Sequence[Path], part_size: int
    ) -> Iterator[Part]:
        rows: list[int] = []
        vectors: list[np.ndarray] = []
        failed: dict[int, str] = {}
        for batch in self._prepare(encoder, paths):
            ready = [(row, prepared) for row, prepared in batch if not isinstance(prepared, str)]
            failed |= {row: prepared for row, prepared in batch if isinstance(prepared, str)}
            if ready:
                rows += [row for row, _ in ready]
                vectors.append(encoder.encode([prepared for _, prepared in ready]).vectors)
            if len(rows) + len(failed) >= part_size:
                yield _part(rows, vectors, failed)
                rows, vectors, failed = [], [], {}
        if rows or failed:
            yield _part(rows, vectors, failed)

    def _prepare(self, encoder: PictureEncoder, paths: Sequence[Path]) -> Iterator[list[tuple[int, Any]]]:
        """Yield batches of (row, prepared picture or why there is none), in the order of the paths."""
        from torch.utils.data import DataLoader

        warm_up(encoder)
        workers = _suitable_workers() if self.workers is None else self.workers
        batches = DataLoader(
            cast(Any, _Pictures(paths, encoder.prepare)),
            batch_size=encoder.batch_size,
            num_workers=min(workers, len(paths)),
            collate_fn=list,  # arrays stay arrays: they travel through a pipe and need no shared memory
        )
        yield from batches


class _Pictures:
    """A map-style data set of prepared pictures; a file that cannot be read gives the reason in words."""

    def __init__(self, paths: Sequence[Path], prepare: Callable[[Any], dict[str, np.ndarray]]) -> None:
        self._paths = paths
        self._prepare = prepare

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, row: int) -> tuple[int, dict[str, np.ndarray] | str]:
        try:
            return row, self._prepare(open_picture(self._paths[row]))
        except NoPictureError as error:
            return row, str(error)


def _suitable_workers() -> int:
    """Return cores - 1 to feed a GPU; few for a model on the CPU, whose threads need the cores."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_WORKERS, cores - 1 if torch.cuda.is_available() else cores // 4)


def _part(rows: list[int], vectors: list[np.ndarray], failed: dict[int, str]) -> Part:
    return Part(rows, Encoded(np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)), failed)
