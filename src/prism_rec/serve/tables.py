"""The tables that a ranker makes of a catalogue, in a file that all workers map into their memory once."""

from pathlib import Path

import torch
from torch import Tensor

from prism_rec.fusion.reading import Evidence, ItemSet, Parts, Seen
from prism_rec.model import SequenceRecommender
from prism_rec.model.keys import KeyGroup
from prism_rec.rank.ranker import Tables
from prism_rec.rank.twins import Twins
from prism_rec.training.checkpoint import load_tensors, save_tensors

FILE = "tables.safetensors"


def save_tables(tables: Tables, folder: Path) -> None:
    """Write what follows from items only; what follows from the weights in one step is left out."""
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
    save_tensors(folder / FILE, tensors, {"groups": len(groups)})


def map_tables(model: SequenceRecommender, folder: Path) -> Tables:
    """Return tables that are in the file's memory: processes that map the same file hold them once.

    Args:
        model: with the weights that the tables were made with, on the CPU.
        folder: of the bundle.

    Raises:
        DamagedError: the file is missing or damaged.
    """
    tensors, facts = load_tensors(folder / FILE)
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
