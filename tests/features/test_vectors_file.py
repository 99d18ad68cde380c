import numpy as np
import pytest
import torch

from prism_rec.errors import InputError
from prism_rec.features.vectors_file import files_of, given_features, read_vectors_file

MATRIX = torch.arange(6, dtype=torch.float32).reshape(2, 3)


def test_every_form_of_a_torch_file_gives_matrix_and_ids(tmp_path):
    forms = {
        "matrix": MATRIX,
        "both": {"vectors": MATRIX, "ids": ["x", "7"]},
        "mapping": {"x": MATRIX[0], "7": MATRIX[1]},
        "brief": {"vectors": MATRIX.to(torch.bfloat16), "ids": ("x", "7")},
    }
    (tmp_path / "matrix.ids.txt").write_text("x\n7\n")
    for name, content in forms.items():
        torch.save(content, tmp_path / f"{name}.pt")
        matrix, ids, files = read_vectors_file(str(tmp_path / f"{name}.pt"))
        np.testing.assert_array_equal(matrix, MATRIX.numpy())
        assert ids.to_list() == ["x", "7"]
        assert tmp_path / f"{name}.pt" in files
    torch.save(MATRIX, tmp_path / "other.pt")
    given = f"{tmp_path / 'other.pt'}:{tmp_path / 'matrix.ids.txt'}"
    assert read_vectors_file(given)[1].to_list() == ["x", "7"]


class Hostile:
    def __reduce__(self):
        return print, ("this must never run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Hostile(), "has more than tensors"),
        (torch.zeros(3), "not a matrix"),
        ([1, 2], "not a matrix"),
        ({"a": torch.zeros(2), "b": torch.zeros(3)}, "3 numbers, and the first vector has 2"),
        ({"a": torch.zeros(2, 2)}, "id 'a': not a vector"),
        ({"a": 1.0}, "id 'a': not a vector"),
        (MATRIX, r"f\.ids\.txt: no such file"),
    ],
)
def test_bad_torch_files_are_refused_and_never_run(tmp_path, capsys, content, message):
    torch.save(content, tmp_path / "f.pt")
    with pytest.raises(InputError, match=message) as told:
        read_vectors_file(str(tmp_path / "f.pt"))
    assert "\n" not in str(told.value)
    assert capsys.readouterr().out == ""


def test_damaged_and_missing_torch_files_are_told(tmp_path):
    (tmp_path / "f.pt").write_bytes(b"not a zip")
    with pytest.raises(InputError, match="damaged"):
        read_vectors_file(str(tmp_path / "f.pt"))
    with pytest.raises(InputError, match="no such file"):
        read_vectors_file(str(tmp_path / "none.pt"))


def test_other_formats_are_read_and_folders_of_embed_are_passed_to_the_dataset(tmp_path):
    np.save(tmp_path / "f.npy", MATRIX.numpy())
    (tmp_path / "f.ids.txt").write_text("x\n7\n")
    assert read_vectors_file(str(tmp_path / "f.npy"))[1].to_list() == ["x", "7"]
    (tmp_path / "text").mkdir()
    found = given_features({"text": str(tmp_path / "text"), "image": str(tmp_path / "f.npy")})
    assert found["text"] == tmp_path / "text"
    assert found["image"][1].to_list() == ["x", "7"]


def test_the_files_that_would_be_read_are_known_before(tmp_path):
    np.save(tmp_path / "f.npy", MATRIX.numpy())
    assert files_of(str(tmp_path / "f.npy")) == [tmp_path / "f.npy"]
    (tmp_path / "f.ids.txt").write_text("x\n7\n")
    (tmp_path / "other.txt").write_text("x\n7\n")
    for given in (str(tmp_path / "f.npy"), f"{tmp_path / 'f.npy'}:{tmp_path / 'other.txt'}"):
        assert tuple(files_of(given)) == read_vectors_file(given)[2]
    assert files_of(str(tmp_path)) == [tmp_path / "manifest.json"]
