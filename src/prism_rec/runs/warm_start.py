"""Weights of an earlier run as the beginning of a new one, on data with other users, items and events."""

import torch

from prism_rec.config import name_difference
from prism_rec.data.dataset import Dataset
from prism_rec.errors import SettingsError
from prism_rec.events import Events
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.runs.run import Run


def begin_from(
    model: SequenceRecommender, dataset: Dataset, settings: ModelConfig, start: Run, events: Events
) -> None:
    """Give a model the weights of another run, and ids their vectors by item id.

    An item that the earlier run did not know keeps its first random vector. Users have no weights.

    Args:
        model: with fresh weights; it is changed.
        dataset: its data.
        settings: of the model.
        start: the earlier run.
        events: hears how many items are known from it.

    Raises:
        SettingsError: the earlier model has other settings, or features of other widths.
    """
    difference = name_difference(start.config.model, settings, "model")
    if difference:
        raise SettingsError(
            f"{start.folder.path} has another model: {difference}; use its settings", key="start"
        )
    _check_encoders(dataset, start)
    old, new = _weights(start.model), _weights(model)
    ids = "items.ids.weight"
    for name, parameter in new.items():
        if name not in old or (name != ids and old[name].shape != parameter.shape):
            raise SettingsError(
                f"{start.folder.path} has features of another kind or width ({name}); prepare the data with its "
                "encoders",
                key="start",
            )
    rows = {item: row for row, item in enumerate(start.dataset.items["item_id"], start=1)}
    pairs = [(row, rows[item]) for row, item in enumerate(dataset.items["item_id"], start=1) if item in rows]
    here, there = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).unbind(1)
    with torch.no_grad():
        for name, parameter in new.items():
            given = old[name].to(parameter.device)
            if name == ids:
                parameter[here.to(parameter.device)] = given[there.to(parameter.device)]
            else:
                parameter.copy_(given)
    gone = start.dataset.number_of_items - len(pairs)
    events.note(
        f"begun from {start.folder.path}: {len(pairs):,} items known, {dataset.number_of_items - len(pairs):,} new, "
        f"{gone:,} gone"
    )


def _weights(model: SequenceRecommender) -> dict[str, torch.Tensor]:
    """Return all parameters, and the state that the fusion has learned from the catalogue before training."""
    learned = {f"fusion.{name}": buffer for name, buffer in model.fusion.state_dict(keep_vars=True).items()}
    return {**dict(model.named_parameters()), **learned}


def _check_encoders(dataset: Dataset, start: Run) -> None:
    """Refuse vectors that the earlier model would misread, as far as it is known how both were made."""
    for name in dataset.encoders.keys() & start.dataset.encoders.keys():
        if dataset.encoders[name]["fingerprint"] != start.dataset.encoders[name]["fingerprint"]:
            raise SettingsError(
                f"{start.folder.path} has vectors of another encoder for {name}, or of one that learned from other "
                "texts; make the new ones with `like`",
                key="start",
            )
    for name in dataset.features.keys() & start.dataset.features.keys():
        of, before = dataset.maps.get(name), start.dataset.maps.get(name)
        if of is not before and (of is None or not of.equals(before)):
            raise SettingsError(
                f"{start.folder.path} has other principal axes for {name}; prepare both without `axes` and `whiten`",
                key="start",
            )
