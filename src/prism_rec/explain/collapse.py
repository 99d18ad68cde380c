"""Whether experts or gate have collapsed: equal to each other, or the same for all items or users."""

import numpy as np
import torch
from jaxtyping import Float64

from prism_rec.config import Config
from prism_rec.model import SequenceRecommender

ALIKE, CONSTANT, STILL = 0.9, 0.05, 0.01
"""Beyond these a collapse is reported: likeness of two components, variation of one, spread of a weight over users."""


class Collapse(Config):
    """How far components and weights are from being equal or constant."""

    variation: dict[str, float]
    """Part of each component's mean square that differs between items; 0 if it is constant."""
    likeness: dict[str, float]
    """The largest correlation of each component with another one, number by number; 1 if two are equal."""
    spread: dict[str, float]
    """Standard deviation of each weight over users; empty if there is no gate."""
    mean: dict[str, float]
    """Mean of each weight over users; empty if there is no gate."""

    def faults(self) -> list[str]:
        """Return a line for each part that has collapsed."""
        faults = [
            f"{name} is nearly the same for all items" for name, v in self.variation.items() if v < CONSTANT
        ]
        faults += [
            f"{name} nearly equals another component" for name, v in self.likeness.items() if v > ALIKE
        ]
        if self.spread and max(self.spread.values()) < STILL:
            faults.append("the gate gives all users nearly the same weights")
        return faults


@torch.no_grad()
def look_for_collapse(model: SequenceRecommender, weights_UJ: Float64[np.ndarray, "U J"] | None) -> Collapse:
    """Compare the components of all items with each other, and the weights of all users.

    Args:
        model: whose components belong to items; of another form, only the weights are looked at.
        weights_UJ: of the gate; None if there is none.
    """
    names = model.fusion.component_names
    parts_NJD = model.item_set().parts.components_IJD[1:].double().cpu().numpy()
    centred_NJD = parts_NJD - parts_NJD.mean(0)
    squares_J = np.square(parts_NJD).sum((0, 2))
    variation_J = np.square(centred_NJD).sum((0, 2)) / np.maximum(squares_J, 1e-12)
    flat_JX = centred_NJD.transpose(1, 0, 2).reshape(len(names), -1 if names else 0)
    flat_JX = flat_JX / np.maximum(np.linalg.norm(flat_JX, axis=1, keepdims=True), 1e-12)
    likeness_JJ = np.abs(flat_JX @ flat_JX.T) - np.eye(len(names))
    of_gate = () if weights_UJ is None else (weights_UJ.std(0), weights_UJ.mean(0))
    known = names or tuple(f"weight {j}" for j in range(0 if weights_UJ is None else weights_UJ.shape[1]))
    spread, mean = (
        ({}, {})
        if not of_gate
        else (dict(zip(known, values.round(4).tolist(), strict=True)) for values in of_gate)
    )
    return Collapse(
        variation=dict(zip(names, variation_J.round(4).tolist(), strict=True)),
        likeness=dict(zip(names, likeness_JJ.max(1, initial=0).round(4).tolist(), strict=True)),
        spread=spread,
        mean=mean,
    )
