"""One matrix from one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import load_file

from prism_rec.data.feature_table import Matrix
from prism_rec.data.reading import first_line
from prism_rec.errors import InputError


def read_matrix(path: Path) -> Matrix:
    """Return the matrix of a `.npy` or `.safetensors` file as it is; nothing else in it is looked at.

    Raises:
        InputError: missing, cut short, or of another format.
    """
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix == ".safetensors":
            tensors = load_file(path)
            if "vectors" not in tensors:
                raise InputError(f"{path} holds {', '.join(tensors) or 'nothing'}; name its matrix 'vectors'")
            return tensors["vectors"]
    except InputError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read ({first_line(error)}); check that it is whole") from None
    raise InputError(f"{path}: the ending says no format; give a .npy, .safetensors or .parquet file")
