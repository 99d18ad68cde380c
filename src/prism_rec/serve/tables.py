"""The tables that a ranker makes of a catalogue, in a file that all workers map into their memory once."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from prism_rec.fusion.reading import Evidence, ItemSet, Parts, Seen
from prism_rec.model import SequenceRecommender
from prism_rec.model.keys import KeyGroup
from prism_rec.rank import CatalogueRanker, Tables
from prism_rec.rank.twins import Twins
from prism_rec.training.checkpoint import load_tensors, save_tensors


def save_tables(ranker: CatalogueRanker, folder: Path) -> list[str]:
    """Write the tables of each model; return the names of the files."""
    names = names_of(len(ranker.members))
    for name, (_, one) in zip(names, ranker.members, strict=True):
        _save(one.tables, folder / name)
    return names


def map_tables(models: Sequence[SequenceRecommender], folder: Path) -> list[Tables]:
    """Return tables that are in the memory of files: processes that map the same file hold them once.

    Args:
        models: with the weights that the tables were made with, on the CPU.
        folder: of the bundle.

    Raises:
        DamagedError: a file is missing or damaged.
    """
    return [_map(model, folder / name) for model, name in zip(models, names_of(len(models)), strict=True)]


def names_of(models: int) -> list[str]:
    """Return the name of the file for each of some models."""
    return [f"tables-{place}.safetensors" for place in range(1, models + 1)]


def _save(tables: Tables, file: Path) -> None:
    """Write the tables that follow from items only; those that follow from the weights in one step are left out."""
    items, groups, twins = tables
    named = {name: getattr(items.parts, name) for name in Parts._fields} | {
        "evidence": items.evidence.rows_RE,
        "ids": items.ids_IV,
    }
    tensors = {
        name: tensor.clone() for name, tensor in named.items()
    }  # with some fusions two of them are one
    for number, (group, pair) in enumerate(zip(groups, twins, strict=True)):
        named = {"rows": group.rows_I, "keys": group.keys_IK, "later": pair.later_T, "first": pair.first_T}
        named |= {} if group.present_J is None else {"present": group.present_J}
        tensors |= {f"{number}/{name}": tensor for name, tensor in named.items()}
    save_tensors(file, tensors, {"groups": len(groups)})


def _map(model: SequenceRecommender, file: Path) -> Tables:
    """Return the tables of one model; see `map_tables`."""
    tensors, facts = load_tensors(file)
    rows_I = torch.arange(model.items.number_of_items + 1)
    parts = Parts(*(tensors[name] for name in Parts._fields))
    items = ItemSet(
        rows_I=rows_I,
        place_N=rows_I,
        features=model.items.features(rows_I),
        ids_IV=tensors["ids"],
        parts=parts,
        seen=Seen(rows_I[1:], Parts(*(part[1:] for part in parts))),
        evidence=Evidence(tensors["evidence"], rows_I),
    )
    numbers = [str(number) for number in range(facts["groups"])]
    return Tables(
        items, [_group(tensors, number) for number in numbers], [_twins(tensors, n) for n in numbers]
    )


def _group(tensors: dict[str, Tensor], number: str) -> KeyGroup:
    return KeyGroup(tensors[f"{number}/rows"], tensors[f"{number}/keys"], tensors.get(f"{number}/present"))


def _twins(tensors: dict[str, Tensor], number: str) -> Twins:
    return Twins(tensors[f"{number}/later"], tensors[f"{number}/first"])
