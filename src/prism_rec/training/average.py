"""A moving average of a model's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage(nn.Module):
    """The exponential moving average of the parameters of a model.

    Averaged weights rank better than the latest ones, as weights after a decay of the learning rate do. They need no
    number of epochs that is fixed beforehand.

    Args:
        model: its parameters are averaged; the average starts at them.
        decay: of the average, per step; the window is about 1 / (1 - decay) steps. With 0 the average is the latest
            weights.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        for number, parameter in enumerate(model.parameters()):
            self.register_buffer(str(number), parameter.detach().clone())

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Add the weights after a step."""
        latest = [parameter.detach() for parameter in model.parameters()]
        torch._foreach_lerp_(list(self.buffers()), latest, 1 - self.decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Give the model the averaged weights within a `with` block."""
        latest = [parameter.detach().clone() for parameter in model.parameters()]
        _write(model, list(self.buffers()))
        try:
            yield
        finally:
            _write(model, latest)


@torch.no_grad()
def _write(model: nn.Module, values: list[Tensor]) -> None:
    for parameter, value in zip(model.parameters(), values, strict=True):
        parameter.copy_(value)
