"""A map of the components of items in two dimensions, and how separate the components of each expert are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from prism_rec.errors import DataError
from prism_rec.runs.run import Run

MOST_ITEMS = 250
"""The time of a map grows with the square of its points."""
PERPLEXITY = 30.0


@dataclass(frozen=True, eq=False)
class ComponentMap:
    """The components of some items as P points of a plane."""

    names: tuple[str, ...]
    """Names of the J components."""
    items: int
    """Number of items; each has one point per component that it has."""
    component_P: Int64[np.ndarray, "P"]
    """Which component each point is."""
    places_P2: Float[np.ndarray, "P 2"]
    """The place of each point; distances between far points mean nothing."""
    separation_J: Float64[np.ndarray, "J"]
    """The mean silhouette of each component's points, -1 to 1, by cosine in the space of the components: 1 if they are
    alike and unlike the others, 0 if they lie among the others or there are none."""

    @property
    def separation(self) -> float:
        """The mean silhouette of all points."""
        return float(self.separation_J[self.component_P].mean())


def map_run(run: Path) -> ComponentMap:
    """Return the map of a run's components, of items spread evenly over its catalogue.

    Args:
        run: folder of a finished run.

    Raises:
        FolderError: the run is unfinished or damaged.
        DataError: see `map_components`.
    """
    model = Run.load(run, "cpu").model
    with torch.inference_mode():
        parts = model.item_set().parts
    return map_components(
        parts.components_IJD.numpy(), parts.present_IJ.numpy(), model.fusion.component_names
    )


def map_components(
    components_IJD: Float[np.ndarray, "I J D"], present_IJ: Bool[np.ndarray, "I J"], names: tuple[str, ...]
) -> ComponentMap:
    """Lay out the components of at most 250 of I items with t-SNE, and measure how separate the kinds are.

    Args:
        components_IJD: the J components of every item, each of width D.
        present_IJ: which components an item has; the others are left out.
        names: names of the J components.

    Raises:
        DataError: the chosen items have only one kind of component or none, no kind more than once, or components
            that are all equal.

    Source: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; Rousseeuw, "Silhouettes", Journal of
    Computational and Applied Mathematics 1987.
    """
    from sklearn.manifold import TSNE  # takes a second to import
    from sklearn.metrics import silhouette_samples

    described = np.flatnonzero(present_IJ.any(1))
    places = np.linspace(0, len(described) - 1, min(MOST_ITEMS, len(described)))
    chosen = described[places.astype(int)]
    item_P, component_P = present_IJ[chosen].nonzero()
    points_PD = components_IJD[chosen][item_P, component_P].astype(np.float64)
    if not 1 < len(np.unique(component_P)) < len(component_P):  # no silhouette otherwise
        raise DataError("its items have too few components for a map, or all of one kind")
    if not np.ptp(points_PD, 0).any():  # t-SNE would divide by their spread
        raise DataError("the components of its items are all equal")
    perplexity = min(PERPLEXITY, (len(points_PD) - 1) / 3)
    layout = TSNE(metric="cosine", perplexity=perplexity, init="pca", random_state=0)
    silhouette_P = silhouette_samples(points_PD, component_P, metric="cosine")
    points_J = np.bincount(component_P, minlength=len(names))
    silhouette_J = np.bincount(component_P, silhouette_P, minlength=len(names))
    return ComponentMap(
        names=names,
        items=len(chosen),
        component_P=component_P,
        places_P2=layout.fit_transform(points_PD),
        separation_J=silhouette_J / np.maximum(points_J, 1),
    )
