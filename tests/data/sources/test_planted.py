"""The planted source: what shows where, and users who choose as their mixtures say."""

import numpy as np
import pytest

from prism_rec.data import RawLog
from prism_rec.data.sources.planted import FACTORS, MIXTURE, SHOWN, TASTE, Planted
from prism_rec.errors import SettingsError


@pytest.fixture(scope="module")
def log() -> RawLog:
    return Planted(number_of_users=300, number_of_items=400, events_per_user=40).read()


def accuracy(vectors: np.ndarray, values: np.ndarray) -> float:
    """Return how often linear regression, fitted to one half of the items, tells the value of the other half."""
    wanted = np.eye(values.max() + 1)[values]
    with_one = np.hstack([vectors, np.ones((len(vectors), 1))])
    weights = np.linalg.lstsq(with_one[::2], wanted[::2], rcond=None)[0]
    return float(((with_one[1::2] @ weights).argmax(1) == values[1::2]).mean())


def test_each_factor_shows_where_it_should(log: RawLog) -> None:
    image, text = (log.features[name][0] for name in ("image", "text"))
    of = {name: log.items[name].to_numpy() for name in (*FACTORS, *SHOWN)}
    seen = {name: (accuracy(image, of[name]) > 0.9, accuracy(text, of[name]) > 0.9) for name in of}
    assert seen == {
        "unique:image": (True, False),
        "unique:text": (False, True),
        "redundancy": (True, True),
        "synergy": (False, False),
        SHOWN[0]: (True, False),
        SHOWN[1]: (False, True),
    }
    assert np.array_equal(of[SHOWN[0]] ^ of[SHOWN[1]], of["synergy"])
    assert (
        accuracy(np.hstack([image, text]), of["synergy"]) < 0.5
    )  # a linear map of both does not tell it either


def test_users_choose_as_their_mixtures_say(log: RawLog) -> None:
    """An event fits a taste if its factor was drawn, or by chance, one time in four."""
    events = log.events.join(log.items, on="item_id").join(log.users, on="user_id")
    for name in FACTORS:
        fits = (events[name] == events[TASTE.format(name)]).to_numpy().reshape(300, -1).mean(1)
        mixture = log.users[MIXTURE.format(name)].to_numpy()
        assert np.corrcoef(fits, mixture + (1 - mixture) / 4)[0, 1] > 0.9
        assert abs(fits.mean() - (mixture + (1 - mixture) / 4).mean()) < 0.02


def test_no_user_has_an_item_twice(log: RawLog) -> None:
    assert not log.events.select("user_id", "item_id").is_duplicated().any()


def test_the_seed_decides() -> None:
    one, same, other = (Planted(number_of_users=9, planted_seed=seed).read() for seed in (1, 1, 2))
    assert one.events.equals(same.events)
    assert not one.events.equals(other.events)


def test_more_events_than_items_are_refused() -> None:
    with pytest.raises(SettingsError, match="events_per_user: is larger than `number_of_items`"):
        Planted(number_of_items=10, events_per_user=11).read()
