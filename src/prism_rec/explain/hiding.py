"""Items as the model would read them if they lacked a modality."""

import torch

from prism_rec.fusion.reading import Evidence, Features, ItemSet
from prism_rec.model import SequenceRecommender
from prism_rec.rank import CatalogueRanker, EnsembleRanker, Ranker, Tables


def hide(model: SequenceRecommender, items: ItemSet, modality: str) -> ItemSet:
    """Return an item set without the vectors of one modality; the model treats it like items that lack the modality.

    Args:
        model: that made the set.
        items: the set; it is not changed.
        modality: one of `model.items.modalities`.
    """
    m = list(model.items.modalities).index(modality)
    present_IM = items.features.present_IM.clone()
    present_IM[:, m] = False
    vectors = tuple(
        torch.zeros_like(table) if place == m else table for place, table in enumerate(items.features.vectors)
    )
    features = Features(vectors, present_IM, items.features.words)
    parts = model.fusion.parts(features, items.ids_ID)
    evidence = Evidence(
        model.fusion.evidence(parts, items.ids_ID), torch.arange(len(items.rows_I), device=model.device)
    )
    return items._replace(features=features, parts=parts, evidence=evidence)


def modalities_of(ranker: CatalogueRanker) -> tuple[str, ...]:
    """Return the modalities that the fusion of any model reads."""
    return tuple(dict.fromkeys(name for _, one in ranker.members for name in one.model.items.modalities))


def without(ranker: CatalogueRanker, modality: str) -> CatalogueRanker:
    """Return a ranker as if no item had a modality."""
    members = [(factor, _without(one, modality)) for factor, one in ranker.members]
    return EnsembleRanker(members) if isinstance(ranker, EnsembleRanker) else members[0][1]


def _without(ranker: Ranker, modality: str) -> Ranker:
    if modality not in ranker.model.items.modalities:
        return ranker
    items = hide(ranker.model, ranker.items, modality)
    return Ranker(ranker.model, ranker.batch_size, ranker.seen, Tables.of(ranker.model, items))
