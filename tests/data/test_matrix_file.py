"""A matrix from a file that is not what its name says."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from prism_rec.data.matrix_file import read_matrix
from prism_rec.errors import DataError


def test_a_file_that_begins_as_an_archive_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "text.npy"
    np.save(file, np.ones((3, 2), np.float32))
    file.write_bytes(b"PK\x03\x04" + file.read_bytes())
    with pytest.raises(DataError, match="text.npy cannot be read"):
        read_matrix(file)


def test_an_archive_of_matrices_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "text.npy"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", b"")
    with pytest.raises(DataError, match="text.npy"):
        read_matrix(file)
