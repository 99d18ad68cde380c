"""Encode on this machine: texts as they are, pictures decoded by worker processes ahead of the model."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from prism_rec.features.encoders.encoder import Encoded, Encoder, PictureEncoder
from prism_rec.features.encoders.pictures import UnreadablePictureError, open_picture
from prism_rec.features.engines.part import Part

_MOST_WORKERS = 16


class LocalEngine:
    """Runs an encoder in this process.

    Args:
        workers: processes that decode pictures; 0: this process does; None: as many as suit the machine.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers

    def __call__(self, encoder: Encoder, contents: Sequence[str | Path], part_size: int) -> Iterator[Part]:
        """Encode all contents, `part_size` of them at a time."""
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
        yield _part(rows, vectors, failed)

    def _prepare(self, encoder: PictureEncoder, paths: Sequence[Path]) -> Iterator[list[tuple[int, Any]]]:
        """Give batches of (row, prepared picture or the reason for none), in the order of the paths."""
        from torch.utils.data import DataLoader

        warm_up(encoder)
        workers = _suitable_workers() if self._workers is None else self._workers
        batches = DataLoader(
            cast(Any, _Pictures(paths, encoder.prepare)),
            batch_size=encoder.batch_size,
            num_workers=min(workers, len(paths)),
            collate_fn=list,  # arrays stay arrays: they come through a pipe and need no shared memory
        )
        yield from batches


class _Pictures:
    """A map-style data set of prepared pictures; what cannot be read is a reason in words, not an error."""

    def __init__(self, paths: Sequence[Path], prepare: Callable[[Any], dict[str, np.ndarray]]) -> None:
        self._paths = paths
        self._prepare = prepare

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, row: int) -> tuple[int, dict[str, np.ndarray] | str]:
        try:
            return row, self._prepare(open_picture(self._paths[row]))
        except UnreadablePictureError as error:
            return row, str(error)


def _suitable_workers() -> int:
    """Return cores - 1 to feed a GPU; few for a model on the CPU, whose threads stall when cores are taken."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_WORKERS, cores - 1 if torch.cuda.is_available() else cores // 4)


def warm_up(encoder: PictureEncoder) -> None:
    """Encode a blank picture, so that a model's errors come before any work, and not out of a worker."""
    from PIL import Image

    encoder.encode([encoder.prepare(Image.new("RGB", (64, 64)))])


def _part(rows: list[int], vectors: list[np.ndarray], failed: dict[int, str]) -> Part:
    return Part(rows, Encoded(np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)), failed)
