"""Candidates that resemble the latest items of a history: what pictures and texts say without being squeezed into D."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.data.bag import BagTable
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import IntArray
from prism_rec.nn.scattered import Scattered

_CHUNK = 20_000_000
"""Numbers of the matrix of similarities that are at hand at once."""

_PACE = 10.0
"""How much faster than other weights those of the lags move: they have to go far, and there are few."""


class SimilarItems(nn.Module):
    """A term of the score: sum over lags k and modalities m of a_km * cosine_m(k-th latest item, candidate).

    Only the K most similar items of each item count, so that a score has L K further terms at most; see `nearest`. The
    weights a_km are learned, the similarities are not.

    Args:
        features: a table per modality.
        neighbours: K.
        lags: L.
    """

    near_NK: Tensor
    cosines_NKM: Tensor

    def __init__(self, features: Mapping[str, FeatureTable | BagTable], neighbours: int, lags: int) -> None:
        super().__init__()
        near_NK, cosines_NKM = nearest(features, neighbours)
        self.register_buffer("near_NK", near_NK, persistent=False)
        self.register_buffer("cosines_NKM", cosines_NKM, persistent=False)
        first_L1 = 2 / _PACE / len(features) * 0.6 ** torch.arange(lags)[:, None]
        self.weights_LM = nn.Parameter(first_L1.expand(-1, len(features)).clone())

    def forward(self, recent_PL: Int[Tensor, "P L"]) -> Scattered:
        """Return what is added to the scores of which items.

        Args:
            recent_PL: catalogue rows of the latest items, the latest first; 0 if the history is shorter.
        """
        cosines_PLKM = self.cosines_NKM[recent_PL]
        added_PLK = (cosines_PLKM @ (_PACE * self.weights_LM)[..., None]).squeeze(-1)
        return Scattered(self.near_NK[recent_PL].flatten(1), added_PLK.flatten(1))

    def of(self, recent_PL: Int[Tensor, "P L"], rows_PC: Int[Tensor, "P C"]) -> Float[Tensor, "P C"]:
        """Return what is added to the score of each of C candidates."""
        columns_PX, values_PX = self(recent_PL)
        return torch.stack(
            [(values_PX * (columns_PX == rows_P1)).sum(1) for rows_P1 in rows_PC.split(1, dim=1)], 1
        )


def nearest(
    features: Mapping[str, FeatureTable | BagTable], neighbours: int
) -> tuple[Int[Tensor, "N K"], Float[Tensor, "N K M"]]:
    """Return the most similar items of every catalogue row, the nearest first, and their cosines in each modality.

    Nearest by the sum of the cosines, each divided by its mean among the K nearest by that modality alone: if many
    items are alike in a modality (the same category), a high cosine says less there than where few are. An item is not
    its own neighbour; padding has and is none. If fewer than K items are similar at all, the others are any, with the
    cosines that they have.
    """
    tables = list(features.values())
    rows = len(tables[0].present)
    neighbours = min(neighbours, rows - 1)
    near = np.zeros((rows, neighbours), np.int64)
    cosines = np.zeros((rows, neighbours, len(tables)), np.float32)
    sample = np.linspace(1, rows - 1, min(rows - 1, 500), dtype=np.int64)
    usual = [max(1e-9, _without_self(t, sample).topk(neighbours).values.mean().item()) for t in tables]
    chunk = max(1, _CHUNK // rows)
    for begin in range(0, rows, chunk):
        part = np.arange(begin, min(begin + chunk, rows))
        of_tables = [_without_self(table, part) for table in tables]
        scaled = [matrix / scale for matrix, scale in zip(of_tables, usual, strict=True)]
        columns = torch.stack(scaled).sum(0).topk(neighbours).indices
        near[part] = columns.numpy()
        for m, matrix in enumerate(of_tables):
            cosines[part, :, m] = matrix.gather(1, columns).numpy()
    return torch.from_numpy(near), torch.from_numpy(cosines)


def _without_self(table: FeatureTable | BagTable, rows: IntArray) -> Tensor:
    """Return the inner products of some rows with all, which are of unit length; 0 with themselves and with padding."""
    if isinstance(table, BagTable):
        cosines = torch.from_numpy((table.vectors[rows] @ table.vectors.T).toarray())
    else:
        cosines = torch.from_numpy(table.vectors[rows] @ table.vectors.T)
    cosines[torch.arange(len(rows)), torch.from_numpy(rows)] = 0
    return cosines
