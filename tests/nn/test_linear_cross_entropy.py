import pytest
import torch
import torch.nn.functional as F

from prism_rec.nn import linear_cross_entropy as module
from prism_rec.nn.linear_cross_entropy import linear_cross_entropy


def matrices(sizes: list[int], rows: int, widths: list[int]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return queries and keys of some groups, in float64."""
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64).requires_grad_()

    return [draw(rows, width) for width in widths], [
        draw(size, width) for size, width in zip(sizes, widths, strict=True)
    ]


def plain(queries: list[torch.Tensor], keys: list[torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
    logits = torch.cat([query @ key.T for query, key in zip(queries, keys, strict=True)], 1)
    return F.cross_entropy(logits, targets)


@pytest.mark.parametrize("chunk_elements", [1, 20, 33, 4_000_000])  # 33: a chunk of four rows and one of two
@pytest.mark.parametrize(
    ("sizes", "widths"), [([7], [4]), ([3, 4], [4, 4]), ([1, 5, 2], [3, 3, 3])], ids=["one", "two", "three"]
)
def test_it_is_cross_entropy_with_its_gradients(monkeypatch, sizes, widths, chunk_elements):
    monkeypatch.setattr(module, "CHUNK_ELEMENTS", chunk_elements)
    queries, keys = matrices(sizes, 6, widths)
    targets = torch.tensor([0, 6, 3, 3, 1, 5])
    loss = linear_cross_entropy(queries, keys, targets)
    torch.testing.assert_close(loss, plain(queries, keys, targets), rtol=0, atol=1e-12)
    slopes = torch.autograd.grad(3 * loss, queries + keys)
    expected = torch.autograd.grad(3 * plain(queries, keys, targets), queries + keys)
    for slope, other in zip(slopes, expected, strict=True):
        torch.testing.assert_close(slope, other, rtol=0, atol=1e-12)


def test_its_gradient_is_the_slope():
    queries, keys = matrices([2, 3], 4, [3, 3])
    targets = torch.tensor([4, 0, 2, 2])
    assert torch.autograd.gradcheck(
        lambda *both: linear_cross_entropy(both[:2], both[2:], targets), (*queries, *keys)
    )


def test_large_logits_overflow_nothing():
    query, key = torch.tensor([[1e4], [-1e4]]), torch.tensor([[1.0], [-1.0]])
    assert linear_cross_entropy([query], [key], torch.tensor([0, 1])) == 0
    assert linear_cross_entropy([query], [key], torch.tensor([1, 1])) == 1e4


def test_without_rows_it_is_zero_and_still_has_a_gradient():
    query, key = torch.zeros(0, 3, requires_grad=True), torch.ones(4, 3)
    loss = linear_cross_entropy([query], [key], torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss == 0
    assert query.grad.shape == (0, 3)


def test_in_bfloat16_loss_and_gradients_are_near_and_still_float32():
    random = torch.Generator().manual_seed(0)
    query, key = (torch.randn(rows, 16, generator=random).requires_grad_() for rows in (64, 500))
    targets = torch.randint(500, (64,), generator=random)
    exact = linear_cross_entropy([query], [key], targets)
    rough = linear_cross_entropy([query], [key], targets, torch.bfloat16)
    assert rough.dtype == torch.float32
    assert 0 < abs(rough - exact) < 0.01
    slopes, expected = (torch.autograd.grad(loss, (query, key)) for loss in (rough, exact))
    for slope, other in zip(slopes, expected, strict=True):
        assert slope.dtype == torch.float32
        assert (slope - other).norm() < 0.01 * other.norm()
