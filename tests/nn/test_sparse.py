import torch

from prism_rec.nn.sparse import Scattered


def test_what_is_scattered_is_added_once_per_naming() -> None:
    scattered = Scattered(
        torch.tensor([[3, 1, 3], [0, 0, 2]]), torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    )
    matrix = torch.ones(2, 4)
    scattered.add_to(matrix)
    assert matrix.tolist() == [[1, 3, 1, 6], [25, 1, 33, 1]]
    assert scattered.at(torch.tensor([[3, 3, 0], [2, 1, 0]])).tolist() == [[5, 5, 0], [32, 0, 24]]


def test_numbers_are_rounded_to_the_matrix() -> None:
    matrix = torch.zeros(1, 2, dtype=torch.bfloat16)
    Scattered(torch.tensor([[1]]), torch.tensor([[1.5]])).add_to(matrix)
    assert matrix.tolist() == [[0, 1.5]]
