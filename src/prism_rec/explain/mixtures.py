"""How well a model's explanations recover the planted reasons of each user's choices."""

from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from prism_rec.data.dataset import Dataset
from prism_rec.data.histories import Histories
from prism_rec.data.sources.planted import FACTORS, MIXTURE, SHOWN, TASTE
from prism_rec.explain.information import Decomposition, decompose
from prism_rec.rank import Ranker

BEST = 10
"""Number of recommended items whose scores are looked at."""
GRID = 8
"""Steps in which the observer of the true factors tries mixtures."""


class Recovered(NamedTuple):
    """Shares and weights of a model for each of U users, by the four components; None if it has none."""

    shares_UF: Float64[np.ndarray, "U F"] | None
    weights_UF: Float64[np.ndarray, "U F"] | None
    of_id: float
    """Part of the score that the id has."""


class Truth(NamedTuple):
    """The answers of a dataset that was made by the source `planted`."""

    mixtures_UF: Float64[np.ndarray, "U F"]
    tastes_UF: Int64[np.ndarray, "U F"]
    factors_NF: Int64[np.ndarray, "N F"]
    """Row 0 is padding."""
    shown_NX: Int64[np.ndarray, "N X"]
    """What picture and text show of the last factor."""

    @classmethod
    def of(cls, dataset: Dataset) -> "Truth":
        """Read the answers from the columns of users and items."""
        mixtures = dataset.users.select(MIXTURE.format(name) for name in FACTORS)
        tastes = dataset.users.select(TASTE.format(name) for name in FACTORS)
        return cls(
            mixtures.to_numpy(),
            tastes.to_numpy(),
            _with_padding(dataset.items.select(FACTORS)),
            _with_padding(dataset.items.select(SHOWN)),
        )


def _with_padding(frame: pl.DataFrame) -> Int64[np.ndarray, "N _"]:
    return np.pad(frame.to_numpy(), ((1, 0), (0, 0)))


@torch.no_grad()
def recover(ranker: Ranker, histories: Histories) -> Recovered:
    """Return the shares of each user's scores, and the weights of the gate.

    A share is what a component adds to the scores of the ten items with the highest scores, more than to the mean item
    of the catalogue, as a part of what all components and the id add. What a component adds to every item changes no
    recommendation, so it does not count.

    Args:
        ranker: of the model.
        histories: one per user.
    """
    model, shares, weights = ranker.model, [], []
    names = model.component_names
    columns = [names.index(name) for name in FACTORS if name in names]
    gate: list[Tensor] = []  # of a form whose components belong to histories, so that no score has them
    gates = [module for name, module in model.fusion.named_children() if name == "gate"]
    hooks = [module.register_forward_hook(lambda *call: gate.append(call[2])) for module in gates]
    every_N = torch.arange(1, len(ranker.items.rows_I), device=model.device)
    for questions, users, _ in ranker.scored(histories):
        if columns:
            parts_BNJ = model.contributions(users, every_N.expand(len(questions), -1), ranker.items)
            parts_BNJ = parts_BNJ - parts_BNJ.mean(1, keepdim=True)
            best_Bk1 = parts_BNJ.sum(2).topk(BEST, 1).indices[..., None]
            of_best_BJ = parts_BNJ.gather(1, best_Bk1.expand(-1, -1, len(names))).mean(1)
            shares.append((of_best_BJ / of_best_BJ.sum(1, keepdim=True)).double().cpu().numpy())
        weights.append(users.weights.double().cpu().numpy())
    for hook in hooks:
        hook.remove()
    shares_UJ, weights_UJ = np.concatenate(shares) if shares else None, np.concatenate(weights)
    if not weights_UJ.shape[1] and gate:
        weights_UJ = torch.cat(gate).double().cpu().numpy()
    personal = model.fusion.personal or bool(gate)
    return Recovered(
        None if shares_UJ is None else shares_UJ[:, columns],
        weights_UJ if personal and weights_UJ.shape[1] == len(FACTORS) else None,
        1.0 if shares_UJ is None else float(shares_UJ[:, 0].mean()),
    )


def agreement(
    true_UF: Float64[np.ndarray, "U F"], found_UF: Float64[np.ndarray, "U F"]
) -> dict[str, dict[str, float]]:
    """Return Spearman's correlation over users of each true part with each recovered one; 0 if that is constant."""
    from scipy.stats import spearmanr

    def of(f: int, other: int) -> float:
        if np.ptp(found_UF[:, other]) < 1e-9:
            return 0.0
        return round(float(spearmanr(true_UF[:, f], found_UF[:, other]).statistic), 4)

    return {name: {other: of(f, g) for g, other in enumerate(FACTORS)} for f, name in enumerate(FACTORS)}


def mixtures_of_observer(
    truth: Truth, histories: Histories, concentration: float
) -> Float64[np.ndarray, "U F"]:
    """Return the expected mixture of each user for somebody who sees the true factors of the user's items.

    This bounds what can be recovered: a short history does not tell a mixture exactly. Mixtures are tried in steps of
    an eighth, and the two most frequent values of each factor as its taste.
    """
    values, count = truth.factors_NF.max() + 1, len(FACTORS)
    steps = [step for step in product(range(GRID + 1), repeat=count) if sum(step) == GRID]
    grid_GF = (np.array(steps) + 0.5) / (GRID + 0.5 * count)
    prior_G = (concentration - 1) * np.log(grid_GF).sum(1)
    found = []
    for user in range(len(histories)):
        factors_LF = truth.factors_NF[histories[user]]
        often = [np.argsort(-np.bincount(of_one, minlength=values))[:2] for of_one in factors_LF.T]
        fits_TLF = np.stack([factors_LF == taste for taste in product(*often)]) * values
        likely_TG = np.log(fits_TLF @ grid_GF.T + 1e-9).sum(1) + prior_G
        weight_G = np.exp(likely_TG - likely_TG.max()).sum(0)
        found.append(weight_G @ grid_GF / weight_G.sum())
    return np.array(found)


def information_of_groups(truth: Truth, histories: Histories, seed: int = 0) -> dict[str, Decomposition]:
    """Return the information of picture and text about a choice, for the users whose largest part is each of the four.

    The target is whether an item was chosen or drawn at random. Each signal is what the picture or the text shows,
    relative to the user's tastes; no model is needed.
    """
    random = np.random.default_rng(seed)
    users = np.repeat(np.arange(len(histories)), histories.lengths)
    drawn = random.integers(1, len(truth.factors_NF), len(users))
    group = truth.mixtures_UF.argmax(1)[users]
    found = {}
    for f, name in enumerate(FACTORS):
        counts_TXX = np.zeros((2, 4 * (truth.shown_NX.max() + 1), 4 * (truth.shown_NX.max() + 1)))
        for target, items in enumerate((drawn, histories.items)):
            fits = truth.factors_NF[items] == truth.tastes_UF[users]
            relative = truth.shown_NX[items] ^ np.stack([np.zeros_like(users), truth.tastes_UF[users, 3]], 1)
            image, text = (fits[:, m] + 2 * fits[:, 2] + 4 * relative[:, m] for m in (0, 1))
            np.add.at(counts_TXX[target], (image[group == f], text[group == f]), 1)
        found[name] = decompose(counts_TXX)
    return found
