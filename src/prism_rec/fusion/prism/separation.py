"""Which directions of the modalities' vectors say the same, found once from the vectors of a catalogue."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

RIDGE = 0.01
"""Part of a modality's mean variance that is added to the variance of every direction, against chance correlations."""


ITEMS_PER_DIRECTION = 20
"""With fewer items for each direction of a modality, only the directions in which it varies most are looked at."""


class Shared(NamedTuple):
    """What is shared, as linear maps of the M modalities; K directions, the most shared first."""

    means: tuple[Tensor, ...]
    """For each modality the mean vector [d_m]."""
    maps: tuple[Tensor, ...]
    """For each modality a map [d_m, K] of the centred vectors to the K shared numbers, each of variance one."""
    loads: tuple[Tensor, ...]
    """For each modality [K, d_m]: the vector that the K numbers predict."""


def find_shared(
    vectors: Sequence[Float[Tensor, "I _"]], present_IM: Bool[Tensor, "I M"], most: int, least: float
) -> Shared:
    """Return the directions that all modalities share, by regularised canonical correlation analysis.

    For more than two modalities this is the MAXVAR form: the directions in which the sum of the whitened modalities
    varies most.

    Args:
        vectors: of each modality, for I items.
        present_IM: which modalities each item has; items that have all of them count.
        most: K at most.
        least: part of the variance of a direction that the other modalities predict at least. What chance
            predicts in as many items and directions is never enough.

    Source: Kettenring, "Canonical analysis of several sets of variables", Biometrika 1971; the bound of chance:
    Wachter, "The limiting empirical measure of multiple discriminant ratios", Annals of Statistics 1980.
    """
    whole_I = present_IM.all(1)
    items, number = int(whole_I.sum()), len(vectors)
    chosen = [vectors_ID[whole_I].double() for vectors_ID in vectors]
    means = [
        vectors_ID.mean(0) if items else vectors_ID.new_zeros(vectors_ID.shape[1]) for vectors_ID in chosen
    ]
    centred = [vectors_ID - mean_D for vectors_ID, mean_D in zip(chosen, means, strict=True)]
    looked_at = max(1, items // ITEMS_PER_DIRECTION)
    whiten = [_whitening(vectors_ID, looked_at) for vectors_ID in centred]
    white_IX = torch.cat([vectors_ID @ map_DK for vectors_ID, map_DK in zip(centred, whiten, strict=True)], 1)
    values_X, vectors_XX = torch.linalg.eigh(white_IX.T @ white_IX / max(1, items))
    correlation_X = ((values_X.flip(0) - 1) / max(1, number - 1)).clamp(0, 1)
    sizes = [map_DK.shape[1] for map_DK in whiten]
    least = max(least, _chance(sorted([0, *sizes])[-2:], items))
    kept = min(most, min(sizes), int((correlation_X.square() > least).sum())) if number > 1 else 0
    blocks = vectors_XX.flip(1)[:, :kept].split(sizes)
    maps, loads = [], []
    for vectors_ID, map_DK, block_DK in zip(centred, whiten, blocks, strict=True):
        numbers_IK = vectors_ID @ map_DK @ block_DK
        scale_K = numbers_IK.square().mean(0).sqrt().clamp_min(1e-12)
        maps.append(map_DK @ block_DK / scale_K)
        loads.append(torch.linalg.lstsq(numbers_IK / scale_K, vectors_ID).solution)
    return Shared(tuple(means), tuple(maps), tuple(loads))


def _whitening(centred_ID: Float[Tensor, "I D"], most: int) -> Float[Tensor, "D K"]:
    """Return a map to the K directions in which vectors vary most, each with a variance of about one afterwards."""
    values_D, vectors_DD = torch.linalg.eigh(centred_ID.T @ centred_ID / max(1, len(centred_ID)))
    ridge = RIDGE * float(values_D.mean()) + 1e-12
    return (vectors_DD * (values_D.clamp_min(0) + ridge).rsqrt())[:, -most:]


def _chance(sizes: Sequence[int], items: int) -> float:
    """Return a bound of the squared correlations of directions that have nothing in common, with a margin of 1/4."""
    left, right = (min(1.0, size / max(1, items)) for size in sizes)
    if left + right >= 1:
        return 1.0
    return 1.25 * ((left * (1 - right)) ** 0.5 + (right * (1 - left)) ** 0.5) ** 2
