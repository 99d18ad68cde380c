"""Which directions of the modalities' vectors say the same, found once from the vectors of a catalogue."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from prism_rec.fusion.reading import Features, ModalityShape
from prism_rec.nn.sparse import SparseRows

RIDGE = 0.01
"""Part of a modality's mean variance that is added to the variance of every direction, against chance correlations."""

ITEMS_PER_DIRECTION = 20
"""With fewer items for each direction of a modality, only the directions in which it varies most are looked at."""

MOST_ITEMS = 50_000
"""In a larger catalogue, this number of items, evenly chosen, is looked at."""
WORD_DIRECTIONS = 256
"""Number of directions in which the weights of words vary most; others are not looked at."""


class Separation(nn.Module):
    """Splits the vectors of items into a part that all modalities share and a rest of each modality.

    Args:
        modalities: name -> what is known of its vectors.
        width: D, the largest number of shared directions.
        least: part of the variance of a direction that the other modalities predict at least.
    """

    found: Tensor

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int, least: float) -> None:
        super().__init__()
        self.names, self.width, self.least = tuple(modalities), width, least
        for m, (size, _) in enumerate(modalities.values()):
            # Until directions are found, nothing is taken away.
            self.register_buffer(f"mean_{m}", torch.zeros(size))
            self.register_buffer(f"map_{m}", torch.randn(size, width) * size**-0.5)
            self.register_buffer(f"load_{m}", torch.zeros(width, size))
        self.register_buffer("found", torch.tensor(False))

    @torch.no_grad()
    def find(self, features: Features) -> str | None:
        """Find the shared directions in the vectors of a catalogue, and in the weights of its words.

        Returns:
            How many there are, or that one modality alone shares nothing; None if they were found before.
        """
        if self.found:
            return None
        chosen = torch.arange(0, len(features.present_IM), 1 + len(features.present_IM) // MOST_ITEMS)
        chosen = chosen.to(features.present_IM.device)
        vectors: list[Tensor] = []
        bases: list[Tensor | None] = []
        for vectors_IX, words in zip(features.vectors, features.words, strict=True):
            if words is None:
                vectors.append(vectors_IX[chosen])
                bases.append(None)
            else:
                rows = words.rows.take(chosen)
                basis_UX = _word_directions(rows, len(words.vectors_UD))
                vectors.append(rows._replace(values_O=rows.values_O.double()).times(basis_UX))
                bases.append(basis_UX)
        shared = find_shared(vectors, features.present_IM[chosen], self.width, self.least)
        for m, (mean_X, map_XK, load_KX) in enumerate(zip(*shared, strict=True)):
            if (basis := bases[m]) is not None:
                mean_X, map_XK, load_KX = basis @ mean_X, basis @ map_XK, load_KX @ basis.T
            count = len(load_KX)
            self.get_buffer(f"mean_{m}").copy_(mean_X)
            self.get_buffer(f"map_{m}").zero_()[:, :count] = map_XK
            self.get_buffer(f"load_{m}").zero_()[:count] = load_KX
        self.found.fill_(True)
        if len(self.names) == 1:
            return f"{self.names[0]} is the only modality, so redundancy and synergy are empty"
        return f"{' and '.join(self.names)} share {len(shared.loads[0])} directions"

    def forward(self, features: Features) -> "Split":
        """Split the vectors of I items."""
        numbers, own = [], []
        for m, (vectors_IX, words) in enumerate(zip(features.vectors, features.words, strict=True)):
            mean_X, map_XD, load_DX = (self.get_buffer(f"{name}_{m}") for name in ("mean", "map", "load"))
            present_I1 = features.present_IM[:, [m]]
            if words is None:
                centred_IX = (vectors_IX - mean_X) * present_I1
                numbers_ID = centred_IX @ map_XD
            else:  # the vector of an item is linear in the weights of its words, and so is its rest
                centred_IX = (vectors_IX - mean_X @ words.vectors_UD) * present_I1
                numbers_ID = (words.rows.times(map_XD) - mean_X @ map_XD) * present_I1
                load_DX = load_DX @ words.vectors_UD
            numbers.append(numbers_ID)
            own.append(centred_IX - numbers_ID @ load_DX)
        numbers_IMD = torch.stack(numbers, 1) / self.width**0.5
        shared_ID = numbers_IMD.sum(1) / features.present_IM.sum(1, keepdim=True).clamp_min(1)
        apart_IMD = (numbers_IMD - shared_ID[:, None]) * features.present_IM[..., None]
        return Split(shared_ID, apart_IMD, own)


class Split(NamedTuple):
    """The vectors of I items, split without loss; zero for a modality that an item lacks."""

    shared_ID: Float[Tensor, "I D"]
    """The shared numbers, averaged over the modalities that an item has, at a length of about 1."""
    apart_IMD: Float[Tensor, "I M D"]
    """By how much each modality's numbers differ from the average."""
    own: list[Float[Tensor, "I _"]]
    """The rest of each modality: vectors of its own width, or of D if it is words."""


class Shared(NamedTuple):
    """The shared part, as linear maps of the M modalities; K directions, the most shared first."""

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


def _word_directions(rows: SparseRows, words: int) -> Float[Tensor, "U X"]:
    """Return the directions of the words' weights with the largest singular values."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    offsets_I, columns_O, values_O = (part.cpu().numpy() for part in rows)
    shape = (len(offsets_I), words)
    matrix = csr_array((values_O.astype(np.float64), columns_O, [*offsets_I, len(columns_O)]), shape)
    most = min(WORD_DIRECTIONS, min(shape) - 1)
    if (
        most < 1 or not matrix.count_nonzero()
    ):  # ARPACK needs two rows and columns, and a number that is not zero
        directions_XU = np.eye(1, words)
    else:
        directions_XU = svds(matrix, most, v0=np.ones(min(shape)))[2]
    return torch.from_numpy(directions_XU.T.copy()).to(rows.values_O.device)


def _chance(sizes: Sequence[int], items: int) -> float:
    """Return a bound of the squared correlations of directions that have nothing in common, with a margin of 1/4."""
    left, right = (min(1.0, size / max(1, items)) for size in sizes)
    if left + right >= 1:
        return 1.0
    return 1.25 * ((left * (1 - right)) ** 0.5 + (right * (1 - left)) ** 0.5) ** 2
