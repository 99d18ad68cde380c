"""Vectors of items and users for other programs: an index, a clustering, a classifier."""

from collections.abc import Mapping

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from prism_rec.data.histories import Histories, IntArray
from prism_rec.fusion.base import share_weights
from prism_rec.rank import CatalogueRanker, Ranker


def _keys(ranker: Ranker) -> Float[Tensor, "N K"]:
    """Return the keys of one model.

    A user's weights are shared over the components that an item has. Items with other components are therefore in other
    columns, so that one inner product is right for all of them.
    """
    Q, widths = _widths(ranker)
    keys_NK = ranker.items.ids_IV.new_zeros(len(ranker.items.rows_I) - 1, Q + sum(widths))
    at = Q
    for group, width in zip(ranker.groups, widths, strict=True):
        keys_NK[group.rows_I - 1, :Q] = group.keys_IK[:, :Q]
        keys_NK[group.rows_I - 1, at : at + width] = group.keys_IK[:, Q:]
        at += width
    return keys_NK


@torch.no_grad()
def _queries(ranker: Ranker, histories: Histories) -> Float[Tensor, "U K"]:
    """Return the queries of one model."""
    Q, widths = _widths(ranker)
    rows, vectors = np.arange(len(histories)), []
    for begin in range(0, len(rows), ranker.batch_size):
        users = ranker.states(histories, rows[begin : begin + ranker.batch_size])
        queries = [ranker.model.queries(users, group) for group in ranker.groups]
        vectors.append(torch.cat([queries[0][:, :Q], *(query[:, Q:] for query in queries)], 1))
    return torch.cat(vectors) if vectors else ranker.items.ids_IV.new_zeros(0, Q + sum(widths))


def key_vectors(ranker: CatalogueRanker) -> Float[Tensor, "N K"]:
    """Return the items' side of the inner product that is a score, for every item in the order of the catalogue.

    The vectors of several models are one after another.
    """
    return torch.cat([_keys(one) for _, one in ranker.members], 1)


def query_vectors(ranker: CatalogueRanker, histories: Histories) -> Float[Tensor, "U K"]:
    """Return the users' side of the same inner product, for histories of at least one item each."""
    return torch.cat([factor * _queries(one, histories) for factor, one in ranker.members], 1)


@torch.no_grad()
def average_vectors(ranker: CatalogueRanker, weights: Mapping[str, float]) -> Float[Tensor, "N _"]:
    """Return id + weighted components of every item, with the same weights for all; at length 1 or 0.

    Those of several models are one after another, so that a cosine is the mean of the models' cosines.
    """
    vectors = []
    for _, one in ranker.members:
        parts, ids_ID = one.items.parts, one.items.ids_ID
        weights_J = torch.tensor(
            [weights[name] for name in one.model.fusion.component_names], device=one.device
        )
        shares = share_weights(weights_J, parts.present_IJ) if one.model.fusion.personal else parts.present_IJ
        vectors_ID = ids_ID + (shares[..., None] * parts.components_IJD).sum(1)
        vectors.append(F.normalize(vectors_ID[1:], dim=1))
    return torch.cat(vectors, 1) * len(vectors) ** -0.5


def most_similar(
    ranker: CatalogueRanker, vectors_ND: Float[Tensor, "N D"], row: int, k: int, allowed: IntArray | None
) -> tuple[np.ndarray, IntArray]:
    """Return the highest cosines with an item, and the rows of these items, best first.

    Args:
        ranker: of the model.
        vectors_ND: from `average_vectors`.
        row: the catalogue row of the item, which is left out.
        k: number of items at most.
        allowed: catalogue rows to choose from; None: all.
    """
    scores_BN = F.pad((vectors_ND @ vectors_ND[row - 1])[None], (1, 0), value=-torch.inf)
    scores_BN[0, row] = -torch.inf
    if allowed is not None:
        ranker.keep_only(scores_BN, allowed)
    values_Bk, rows_Bk = ranker.best(scores_BN, min(k, len(vectors_ND)))
    found_k = rows_Bk[0] > 0
    return values_Bk[0][found_k], rows_Bk[0][found_k]


def _widths(ranker: Ranker) -> tuple[int, list[int]]:
    """Return the width of the ids' part, and that of each group's further part: 0 if a key is the sum of both."""
    Q = ranker.model.id_key(ranker.items.ids_IV[:1], ranker.items.rows_I[:1]).shape[1]
    return Q, [group.keys_IK.shape[1] - Q for group in ranker.groups]


def vector_frame(name: str, ids: pl.Series, vectors: Tensor) -> pl.DataFrame:
    """Return the ids in a column of a name, and the column `vector`."""
    return pl.DataFrame({name: ids, "vector": vectors.cpu().numpy()})
