"""The tables of a catalogue in the form that `reader` maps into memory."""

from typing import Any

import numpy as np
import torch

from prism_rec.exporting.reader import Array
from prism_rec.rank import Ranker


@torch.no_grad()
def tables_of(ranker: Ranker, popular: np.ndarray) -> tuple[dict[str, Array], list[int]]:
    """Return the tables by name, and the sizes of the groups of items that have the same components.

    `keys` [N, Q + J D] has the id's key and the components of each item, group after group; `rows` is the catalogue row
    of each, `place` and `group` are the way back; `present` [G, J] says which components a group has; `twins` [2, T]
    are rows with equal keys; `popular` has all rows, those with the most events first. With a term of neighbours,
    such as `similar`, `similar_near` [N, k] has the rows of an item's neighbours, and `similar_added` [N, L, k] what
    each lag adds to their scores.
    """
    model, items = ranker.model, ranker.items
    rows_I = torch.cat([group.rows_I for group in ranker.groups])
    sizes = [len(group.rows_I) for group in ranker.groups]
    ids_IV, components_IJD = model.scale_item(items.ids_IV[rows_I], items.parts.components_IJD[rows_I])
    keys = [model.id_key(ids_IV, rows_I)]
    components = items.parts.components_IJD.shape[1] if model.content else 0
    if components:
        keys.append(components_IJD.flatten(1))
    everything = torch.ones(components, dtype=torch.bool)
    present = [everything if group.present_J is None else group.present_J for group in ranker.groups]
    pairs = [
        torch.stack([group.rows_I[twins.later_T], group.rows_I[twins.first_T]])
        for group, twins in zip(ranker.groups, ranker.twins, strict=True)
    ]
    place = torch.zeros(len(items.rows_I), dtype=torch.long)
    place[rows_I] = torch.arange(len(rows_I))
    group = torch.zeros_like(place)
    group[rows_I] = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    tables: dict[str, Any] = {
        "keys": torch.cat(keys, 1),
        "rows": rows_I,
        "place": place,
        "group": group,
        "present": torch.stack(present),
        "twins": torch.cat(pairs, 1),
        "popular": popular,
    }
    for name, term in model.neighbour_terms.items():
        tables[f"{name}_near"], tables[f"{name}_added"] = term.by_lag()
    return {name: np.ascontiguousarray(table) for name, table in tables.items()}, sizes
