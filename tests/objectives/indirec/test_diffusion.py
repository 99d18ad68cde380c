import itertools

import pytest
import torch
from torch.testing import assert_close

from prism_rec.objectives.indirec.diffusion import GuidedDiffusion, embed_steps, make_schedule

SCHEDULES = ["exp", "linear", "cosine", "sqrt"]
PARTS = ("betas", "alpha_bar", "posterior_x0", "posterior_xt", "posterior_variance")
PUBLISHED = ("betas", "alpha_bar", "posterior_coef_x0", "posterior_coef_xt", "posterior_variance")


def made(steps: int = 20, guidance: float = 2.0, null_probability: float = 0.1) -> GuidedDiffusion:
    torch.manual_seed(0)
    return GuidedDiffusion(8, "exp", steps, guidance, null_probability).double()


@pytest.mark.parametrize(("name", "steps"), list(itertools.product(["exp", "linear", "cosine"], [50, 200])))
def test_schedules_are_the_published_ones(golden, name, steps):
    schedule = make_schedule(name, steps)
    for part, published in zip(PARTS, PUBLISHED, strict=True):
        expected = torch.from_numpy(golden[f"diffusion.{name}.{steps}.{published}"])
        assert_close(getattr(schedule, part), expected, rtol=0, atol=1e-10)


def test_sqrt_keeps_what_it_says_of_the_signal():
    kept = make_schedule("sqrt", 40).alpha_bar
    time = torch.arange(41, dtype=torch.float64) / 40
    expected = (1 - (time[1:] + 1e-4).sqrt()) / (1 - 1e-4**0.5)
    assert_close(kept[:-1], expected[:-1])
    assert_close(kept[-1], kept[-2] * 0.001)  # the last step's noise is bounded at .999


@pytest.mark.parametrize(("name", "steps"), list(itertools.product(SCHEDULES, [1, 2, 30])))
def test_one_step_back_is_what_bayes_says(name, steps):
    """q(x_{t-1} | x_t, x_0) is the product of two Gaussians: precisions add, means are weighed with them."""
    betas, alpha_bar, of_x0, of_xt, variance = make_schedule(name, steps)
    assert ((betas > 0) & (betas < 1)).all()
    before = alpha_bar[:-1]
    prior, step = 1 / (1 - before), (1 - betas[1:]) / betas[1:]
    assert_close(variance[1:], 1 / (prior + step))
    assert_close(of_x0[1:], before.sqrt() * prior / (prior + step))
    assert_close(of_xt[1:], step / (1 - betas[1:]).sqrt() / (prior + step))
    assert_close(torch.stack([of_x0[0], of_xt[0], variance[0]]), torch.eye(3)[0].double())


def test_a_step_is_embedded_as_published(golden):
    published = torch.from_numpy(golden["diffusion.step_embedding.dim16.t0_10_199"])
    assert_close(embed_steps(torch.tensor([0, 10, 199]), 16), published, rtol=0, atol=1e-10)


def test_the_narrowest_step_has_one_frequency():
    angle = torch.tensor(3.0, dtype=torch.float64)
    assert_close(embed_steps(torch.tensor([3]), 2), torch.stack([angle.sin(), angle.cos()])[None])


def test_generation_is_the_reverse_chain_with_guidance():
    diffusion, guides = made(), torch.randn(5, 8, dtype=torch.float64)
    schedule = make_schedule("exp", 20)
    torch.manual_seed(7)
    x = torch.randn_like(guides)
    for step in reversed(range(20)):
        said = diffusion.step(embed_steps(torch.full((5,), step), 8))
        with_guide = diffusion.denoise(torch.cat([x, guides, said], 1))
        without = diffusion.denoise(torch.cat([x, diffusion.null_D.expand_as(x), said], 1))
        mean = schedule.posterior_x0[step] * (3 * with_guide - 2 * without) + schedule.posterior_xt[step] * x
        x = mean + schedule.posterior_variance[step].sqrt() * torch.randn_like(x)
    torch.manual_seed(7)
    generated = diffusion.generate(guides.requires_grad_())
    assert_close(generated, x.detach(), rtol=0, atol=1e-5)  # buffers were float32
    assert not generated.requires_grad


def test_without_guidance_the_chain_follows_the_guide_alone():
    diffusion, guides = made(guidance=0.0), torch.randn(5, 8, dtype=torch.float64)
    torch.manual_seed(7)
    one = diffusion.generate(guides)
    diffusion.null_D.data += 1
    torch.manual_seed(7)
    assert_close(diffusion.generate(guides), one)


@pytest.mark.parametrize(("probability", "reached"), [(0.0, "guides"), (1.0, "null"), (0.5, "guides null")])
def test_a_guide_is_left_out_as_often_as_told(probability, reached):
    diffusion = made(null_probability=probability)
    x0, guides = torch.randn(2, 64, 8, dtype=torch.float64).requires_grad_().unbind()
    guides.retain_grad()
    diffusion.loss(x0, guides).backward()
    without = (guides.grad == 0).all(1).double().mean().item()
    assert abs(without - probability) < 0.2
    assert ("guides" in reached) == (without < 1)
    assert bool(diffusion.null_D.grad.any()) == ("null" in reached)


def test_it_learns_to_make_what_the_guide_stands_for():
    diffusion = made(steps=50)
    targets = torch.randn(4, 8, dtype=torch.float64)
    codes = torch.eye(4, 8, dtype=torch.float64)
    optimizer = torch.optim.Adam(diffusion.parameters(), lr=0.01)
    for _ in range(300):
        kinds = torch.randint(4, (64,))
        loss = diffusion.loss(targets[kinds], codes[kinds])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    kinds = torch.arange(4).repeat(16)
    nearest = torch.cdist(diffusion.generate(codes[kinds]), targets).argmin(1)
    assert (nearest == kinds).double().mean() > 0.9
