"""Intents: clusters of states, and who shares one."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

# 16 MB of float32 distances at once: large enough for the matrix product, small enough to stay near the cores.
CHUNK_ELEMENTS = 4_000_000
# Centres are sought on a sample of this many points each; the release takes 4,096. For the 32 intents of Beauty fewer
# take a fortieth of the time and change no more than another seed does (log/, entry 17-indirec-intents).
POINTS_PER_CENTRE = 256


class Intents:
    """Which of S segments share an intent.

    Args:
        labels: int64 [S], the intent of each.
        segments: int64 [S], rising: which ones these are.
    """

    def __init__(self, labels: np.ndarray, segments: np.ndarray) -> None:
        self.labels = labels
        self.segments = segments
        self.members = segments[np.argsort(labels, kind="stable")]
        self.counts = np.bincount(labels)
        self.begins = np.cumsum(self.counts) - self.counts

    def companions(self, segments: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return for each segment a random one of its intent, which may be itself."""
        intents = self.labels[np.searchsorted(self.segments, segments)]
        return self.members[self.begins[intents] + random.integers(self.counts[intents])]


def k_means(
    points_SD: Float[Tensor, "S D"], clusters: int, iterations: int = 20, restarts: int = 5
) -> Int[Tensor, " S"]:
    """Return the cluster of each point: Lloyd's algorithm from k-means++ seeds, the best of several restarts.

    Random numbers are torch's own, so that a seed decides everything.

    Args:
        points_SD: at least one.
        clusters: K; no more come out than there are points, and fewer where a centre attracts none.
        iterations: of Lloyd's algorithm, at most.
        restarts: how often it is begun anew.
    """
    clusters = min(clusters, len(points_SD))
    sample_SD = points_SD[
        torch.randperm(len(points_SD), device=points_SD.device)[: clusters * POINTS_PER_CENTRE]
    ]
    tried = [_lloyd(sample_SD, _seeds(sample_SD, clusters), iterations) for _ in range(restarts)]
    best_KD = min(tried, key=lambda centres_KD: float(_nearest(sample_SD, centres_KD)[1]))
    return _nearest(points_SD, best_KD)[0]


def _seeds(points_SD: Float[Tensor, "S D"], clusters: int) -> Float[Tensor, "K D"]:
    """Draw points as centres, each with the square of its distance from those drawn before (k-means++)."""
    chosen = [int(torch.randint(len(points_SD), ()))]
    far_S = torch.full_like(points_SD[:, 0], torch.inf)
    while len(chosen) < clusters:
        far_S = torch.minimum(far_S, (points_SD - points_SD[chosen[-1]]).square().sum(1))
        # Where all points coincide with a centre, any will do.
        chosen.append(int(far_S.clamp_min(torch.finfo(far_S.dtype).tiny).multinomial(1)))
    return points_SD[chosen]


def _lloyd(
    points_SD: Float[Tensor, "S D"], centres_KD: Float[Tensor, "K D"], iterations: int
) -> Float[Tensor, "K D"]:
    """Move each centre to the mean of the points nearest to it, until none changes sides; one without any stays."""
    before_S: Tensor | None = None
    for _ in range(iterations):
        labels_S, _ = _nearest(points_SD, centres_KD)
        if before_S is not None and torch.equal(labels_S, before_S):
            break
        before_S = labels_S
        counts_K1 = labels_S.bincount(minlength=len(centres_KD))[:, None]
        sums_KD = torch.zeros_like(centres_KD).index_add_(0, labels_S, points_SD)
        centres_KD = torch.where(counts_K1 > 0, sums_KD / counts_K1.clamp_min(1), centres_KD)
    return centres_KD


def _nearest(
    points_SD: Float[Tensor, "S D"], centres_KD: Float[Tensor, "K D"]
) -> tuple[Int[Tensor, " S"], Float[Tensor, ""]]:
    """Return each point's nearest centre, and the sum of squared distances less that of the points' squares."""
    halves_K = centres_KD.square().sum(1) / 2
    parts = points_SD.split(max(1, CHUNK_ELEMENTS // len(centres_KD)))
    best = [(part_CD @ centres_KD.T - halves_K).max(1) for part_CD in parts]
    return torch.cat([one.indices for one in best]), -2 * torch.cat([one.values for one in best]).sum()
