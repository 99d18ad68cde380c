"""A matrix from a file."""

from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import load_file

from prism_rec.data.feature_table import Matrix
from prism_rec.data.reading import first_line
from prism_rec.errors import DataError


def read_matrix(path: Path) -> Matrix:
    """Return the matrix of a `.npy` or `.safetensors` file unchanged; nothing else of the file is read.

    Raises:
        DataError: missing, cut short, or of another format.
    """
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix == ".safetensors":
            tensors = load_file(path)
            if "vectors" not in tensors:
                raise DataError(f"{path} has {', '.join(tensors) or 'nothing'}; name its matrix 'vectors'")
            return tensors["vectors"]
    except DataError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({first_line(error)}); check that it is complete") from None
    raise DataError(f"{path}: unknown ending; give a .npy, .safetensors or .parquet file")
