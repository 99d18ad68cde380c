"""Intents: clusters of states, and which segments share one."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

# 16 MB of float32 distances at once: large enough for a fast product, small enough for the caches.
CHUNK_ELEMENTS = 4_000_000
# Centres are found on a sample of this many points each; the release uses 4,096. For the 32 intents of Beauty, 256 take
# a fortieth of the time, and the results differ no more than with another seed (log/, entry 17-indirec-intents).
POINTS_PER_CENTRE = 256


class Intents:
    """Which of G segments share an intent.

    Args:
        labels: int64 [G], the intent of each.
        segments: int64 [G], rising: the numbers of the segments.
    """

    def __init__(self, labels: np.ndarray, segments: np.ndarray) -> None:
        self.labels = labels
        self.segments = segments
        self.members = segments[np.argsort(labels, kind="stable")]
        self.counts = np.bincount(labels)
        self.begins = np.cumsum(self.counts) - self.counts

    def companions(self, segments: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return for each segment a random one of the same intent, which may be itself."""
        intents = self.labels[np.searchsorted(self.segments, segments)]
        return self.members[self.begins[intents] + random.integers(self.counts[intents])]


def k_means(
    points_GD: Float[Tensor, "G D"], clusters: int, iterations: int = 20, restarts: int = 5
) -> Int[Tensor, " G"]:
    """Return the cluster of each point: Lloyd's algorithm from k-means++ seeds, the best of several runs.

    Random numbers come from torch's generator, so that a seed decides the result.

    Args:
        points_GD: at least one.
        clusters: K; the result has at most as many clusters as points, and fewer if a centre attracts no point.
        iterations: most iterations of Lloyd's algorithm.
        restarts: number of runs.
    """
    clusters = min(clusters, len(points_GD))
    sample_GD = points_GD[
        torch.randperm(len(points_GD), device=points_GD.device)[: clusters * POINTS_PER_CENTRE]
    ]
    tried = [_lloyd(sample_GD, _seeds(sample_GD, clusters), iterations) for _ in range(restarts)]
    best_KD = min(tried, key=lambda centres_KD: float(_nearest(sample_GD, centres_KD)[1]))
    return _nearest(points_GD, best_KD)[0]


def _seeds(points_GD: Float[Tensor, "G D"], clusters: int) -> Float[Tensor, "K D"]:
    """Draw points as centres, with probability proportional to the squared distance from those drawn (k-means++)."""
    chosen = [int(torch.randint(len(points_GD), ()))]
    far_G = torch.full_like(points_GD[:, 0], torch.inf)
    while len(chosen) < clusters:
        far_G = torch.minimum(far_G, (points_GD - points_GD[chosen[-1]]).square().sum(1))
        # If all points coincide with a centre, any will do.
        chosen.append(int(far_G.clamp_min(torch.finfo(far_G.dtype).tiny).multinomial(1)))
    return points_GD[chosen]


def _lloyd(
    points_GD: Float[Tensor, "G D"], centres_KD: Float[Tensor, "K D"], iterations: int
) -> Float[Tensor, "K D"]:
    """Move each centre to the mean of its nearest points until no point changes; a centre without points stays."""
    before_G: Tensor | None = None
    for _ in range(iterations):
        labels_G, _ = _nearest(points_GD, centres_KD)
        if before_G is not None and torch.equal(labels_G, before_G):
            break
        before_G = labels_G
        counts_K1 = labels_G.bincount(minlength=len(centres_KD))[:, None]
        sums_KD = torch.zeros_like(centres_KD).index_add_(0, labels_G, points_GD)
        centres_KD = torch.where(counts_K1 > 0, sums_KD / counts_K1.clamp_min(1), centres_KD)
    return centres_KD


def _nearest(
    points_GD: Float[Tensor, "G D"], centres_KD: Float[Tensor, "K D"]
) -> tuple[Int[Tensor, " G"], Float[Tensor, ""]]:
    """Return each point's nearest centre, and the sum of squared distances minus the sum of the points' squares."""
    halves_K = centres_KD.square().sum(1) / 2
    parts = points_GD.split(max(1, CHUNK_ELEMENTS // len(centres_KD)))
    best = [(part_RD @ centres_KD.T - halves_K).max(1) for part_RD in parts]
    return torch.cat([found.indices for found in best]), -2 * torch.cat(
        [found.values for found in best]
    ).sum()
