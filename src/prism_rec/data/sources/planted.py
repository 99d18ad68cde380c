"""A made-up log whose answers are known: which kind of information makes each user choose items."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Float64, Int64
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.raw_log import RawLog
from prism_rec.errors import SettingsError

FACTORS = ("unique:image", "unique:text", "redundancy", "synergy")
"""The four factors of an item, by the name of the component that should hold each."""
MIXTURE, TASTE, SHOWN = "mixture {}", "taste {}", ("image's half of synergy", "text's half of synergy")
"""Columns of the answers: of users for each factor, and of items what each modality shows of the last factor."""


class Planted(Config):
    """A made-up log with pictures and texts as vectors; the answers are columns of its users and items.

    An item has four factors with the same number of values. One shows in the picture only, one in the text only, one in
    both. The fourth is the exclusive or of a number in the picture and a number in the text, so that neither of them
    says anything about it. A user has a taste (a value) for each factor, and a mixture: the probabilities that the next
    item is one with the user's taste in the first, second, third or fourth factor. No user has an item twice.
    """

    kind: Literal["planted"] = "planted"
    """Name of the source."""
    number_of_users: int = Field(3000, ge=3, le=10**6)
    """Number of users."""
    number_of_items: int = Field(600, ge=3, le=10**5)
    """Number of items; at least as many as a user has events."""
    events_per_user: int = Field(50, ge=3, le=1000)
    """Number of events of each user."""
    values: Literal[2, 4, 8] = 4
    """Number of values that each factor has."""
    concentration: float = Field(0.5, gt=0)
    """Parameter of the Dirichlet distribution of mixtures; with a smaller one, more users choose by one factor only."""
    noise: float = Field(0.2, ge=0)
    """Length of the noise that is added to what a vector shows of a factor, as a part of the length of that."""
    planted_seed: int = Field(0, ge=0)
    """Equal seeds give equal data."""

    def files(self) -> tuple[Path, ...]:
        """Return nothing: no file is read."""
        return ()

    def read(self) -> RawLog:
        """Draw items, users and events.

        Raises:
            SettingsError: a user would have more events than there are items.
        """
        if self.events_per_user > self.number_of_items:
            raise SettingsError("is larger than `number_of_items`; lower it", key="events_per_user")
        random = np.random.default_rng(self.planted_seed)
        image, text, both, left, right = random.integers(self.values, size=(5, self.number_of_items))
        factors_NF = np.stack([image, text, both, left ^ right], 1)
        vectors = {
            name: _show(np.stack(shown, 1), self.values, self.noise, random)
            for name, shown in {"image": (image, both, left), "text": (text, both, right)}.items()
        }
        size = self.number_of_users, len(FACTORS)
        mixtures_UF = random.dirichlet(np.full(size[1], self.concentration), size[0])
        tastes_UF = random.integers(self.values, size=size)
        items_UL = _choose_items(mixtures_UF, tastes_UF, factors_NF, self.events_per_user, random)
        user_U, time_L = np.arange(size[0]), np.arange(self.events_per_user)
        item_ids = pl.Series("item_id", np.arange(self.number_of_items)).cast(pl.String)
        of_users: dict[str, Any] = {MIXTURE.format(name): mixtures_UF[:, f] for f, name in enumerate(FACTORS)}
        of_users |= {TASTE.format(name): tastes_UF[:, f] for f, name in enumerate(FACTORS)}
        of_items = dict(zip(FACTORS, factors_NF.T, strict=True)) | dict(
            zip(SHOWN, (left, right), strict=True)
        )
        return RawLog(
            events=pl.DataFrame(
                {
                    "user_id": user_U.repeat(len(time_L)).astype(str),
                    "item_id": items_UL.ravel().astype(str),
                    "timestamp": np.tile(time_L, len(user_U)),
                }
            ),
            items=pl.DataFrame({"item_id": item_ids, **of_items}),
            users=pl.DataFrame({"user_id": user_U.astype(str), **of_users}),
            time="order",
            features={name: (matrix, item_ids) for name, matrix in vectors.items()},
        )


def _show(
    shown_NX: Int64[np.ndarray, "N X"], values: int, noise: float, random: np.random.Generator
) -> Float[np.ndarray, "N _"]:
    """Return unit vectors: each value of each factor shown has a direction; none of these directions is an axis."""
    signs_NR = (np.eye(values)[shown_NX] - 1 / values).reshape(len(shown_NX), -1)
    rows = signs_NR.shape[1]
    directions = np.linalg.qr(random.standard_normal((2 * rows, rows)))[0].T
    vectors = signs_NR @ directions
    scale = np.linalg.norm(vectors, axis=1).mean() / np.sqrt(vectors.shape[1])
    vectors += noise * scale * random.standard_normal(vectors.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _choose_items(
    mixtures_UF: Float64[np.ndarray, "U F"],
    tastes_UF: Int64[np.ndarray, "U F"],
    factors_NF: Int64[np.ndarray, "N F"],
    length: int,
    random: np.random.Generator,
) -> Int64[np.ndarray, "U L"]:
    """Draw a factor for each event, then an item with the user's taste in it; any other item if none is left."""
    user_U = np.arange(len(mixtures_UF))
    items_UL = np.empty((len(user_U), length), np.int64)
    free_UN = np.ones((len(user_U), len(factors_NF)), bool)
    limits_UF = mixtures_UF.cumsum(1)[:, :-1]
    for place in range(length):
        factor_U = (random.random((len(user_U), 1)) > limits_UF).sum(1)
        fits_UN = factors_NF.T[factor_U] == tastes_UF[user_U, factor_U][:, None]
        draw_UN = (random.random(free_UN.shape) + fits_UN + 1e-9) * free_UN
        items_UL[:, place] = draw_UN.argmax(1)
        free_UN[user_U, items_UL[:, place]] = False
    return items_UL
