import torch
import torch.nn.functional as F
from torch.testing import assert_close

from prism_rec.nn.cosine import cosine


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(2, 5, 7, generator=generator, dtype=torch.float64).requires_grad_() for _ in "ab"
    )


def test_it_is_the_cosine_and_its_gradient():
    one, other = rows()
    assert_close(cosine(one, other), F.cosine_similarity(one, other, dim=-1))
    assert torch.autograd.gradcheck(cosine, (one, other))


def test_a_row_of_zeros_is_like_nothing_and_its_gradient_is_finite():
    one, other = (row.detach() for row in rows())
    one[0, 0] = 0
    one.requires_grad_()
    assert cosine(one, other)[0, 0] == 0
    cosine(one, other).sum().backward()
    assert one.grad.isfinite().all()
