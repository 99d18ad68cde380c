"""Encodes with Ray Data: decoding in tasks, encoders in actors, on one machine or on a cluster.

Every node must reach the pictures and the model under the same paths. Ray sends code and encoders to its workers by
pickle, within the cluster only; contents and vectors travel as plain bytes, and nothing pickled is stored.
"""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from pydantic import Field

from prism_rec.features.encoders.encoder import Encoded, Encoder, PictureEncoder
from prism_rec.features.engines.engine import Engine, Part, warm_up
from prism_rec.features.pictures import NoPictureError, open_picture
from prism_rec.jobs.ray import require_ray, start_ray

Columns = dict[str, np.ndarray]


class RayEngine(Engine):
    """Runs copies of the encoder on the Ray cluster at RAY_ADDRESS, or with Ray on this machine.

    The vectors are those of `local`. Each copy takes one GPU if the cluster has any.
    """

    kind: Literal["ray"] = "ray"
    """Name of the engine."""
    workers: int = Field(2, ge=1, le=4096)
    """Copies of the encoder."""

    def check(self) -> None:
        """Refuse to begin without Ray."""
        require_ray()

    def run(self, encoder: Encoder, contents: Sequence[str | Path], part_size: int) -> Iterator[Part]:
        """Encode all contents; parts come in the order in which they are finished."""
        self.check()
        ray = _start_ray()
        _try_out(encoder, contents)
        rows = ray.data.from_items(
            [{"row": row, "content": str(content)} for row, content in enumerate(contents)],
            override_num_blocks=max(self.workers, len(contents) // part_size),
        )
        batch_size = part_size
        if encoder.encodes == "image":
            pictures = cast(PictureEncoder, encoder)
            batch_size = pictures.batch_size
            rows = rows.map_batches(_Prepare(pictures.prepare), batch_size=batch_size)
        encoded = rows.map_batches(
            _Encode,
            fn_constructor_args=(encoder,),
            batch_size=batch_size,
            compute=ray.data.ActorPoolStrategy(size=self.workers),
            num_cpus=0,  # otherwise a machine with few cores has none left for decoding
            num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
        )
        yield from _gather(encoded.iter_batches(batch_size=None), part_size)


class _Prepare:
    """Decodes pictures; a prepared picture travels as the bytes of a safetensors file."""

    def __init__(self, prepare: Callable[[Any], dict[str, np.ndarray]]) -> None:
        self._prepare = prepare

    def __call__(self, batch: Columns) -> Columns:
        from safetensors.numpy import save

        prepared, failed = [], []
        for path in batch["content"]:
            try:
                arrays = self._prepare(open_picture(Path(path)))
                prepared.append(save({name: np.ascontiguousarray(one) for name, one in arrays.items()}))
                failed.append("")
            except NoPictureError as error:
                prepared.append(b"")
                failed.append(str(error))
        return {"row": batch["row"], "prepared": np.array(prepared, object), "failed": np.array(failed)}


class _Encode:
    """An actor's copy of the encoder; it loads its model at the first batch."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __call__(self, batch: Columns) -> Columns:
        from safetensors.numpy import load

        failed = batch.get("failed", np.full(len(batch["row"]), ""))
        good = np.flatnonzero(failed == "")
        contents: list[Any]
        if "prepared" in batch:
            contents = [load(batch["prepared"][row]) for row in good]
        else:
            contents = [str(batch["content"][row]) for row in good]
        encoded = self._encoder.encode(contents) if contents else Encoded(np.zeros((0, 1), np.float32))
        vectors = np.zeros((len(failed), encoded.vectors.shape[1]), np.float32)
        truncated = np.zeros(len(failed), bool)
        vectors[good] = encoded.vectors
        if encoded.truncated is not None:
            truncated[good] = encoded.truncated
        limit = np.full(len(failed), encoded.token_limit or 0)
        vector_bytes = np.array([vector.tobytes() for vector in vectors], object)
        return {
            "row": batch["row"],
            "vector": vector_bytes,
            "truncated": truncated,
            "token_limit": limit,
            "failed": failed,
        }


def _start_ray() -> Any:
    start_ray()
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _try_out(encoder: Encoder, contents: Sequence[str | Path]) -> None:
    """Raise the errors of a model here, in one line. A copy is tried, so that no model travels to the actors."""
    trial = copy.copy(encoder)
    if trial.encodes == "image":
        warm_up(cast(PictureEncoder, trial))
    else:
        trial.encode(contents[:1])


def _gather(batches: Iterator[Columns], part_size: int) -> Iterator[Part]:
    rows: list[int] = []
    vectors: list[np.ndarray] = []
    truncated: list[bool] = []
    failed: dict[int, str] = {}
    limit = 0

    def part() -> Part:
        matrix = np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
        return Part(rows, Encoded(matrix, np.array(truncated, bool), limit or None), failed)

    for batch in batches:
        columns = (batch[name] for name in ("row", "vector", "truncated", "token_limit", "failed"))
        for row, vector, cut, most, reason in zip(*columns, strict=True):
            if reason:
                failed[int(row)] = str(reason)
                continue
            rows.append(int(row))
            vectors.append(np.frombuffer(vector, np.float32))
            truncated.append(bool(cut))
            limit = int(most)
        if len(rows) + len(failed) >= part_size:
            yield part()
            rows, vectors, truncated, failed = [], [], [], {}
    if rows or failed:
        yield part()
