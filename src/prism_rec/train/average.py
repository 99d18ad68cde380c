"""A moving average of a model's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage(nn.Module):
    """The exponential moving average of the parameters of a model.

    The averaged weights rank better than the latest ones, as those after a decay of the learning rate do, and need no
    number of epochs to be fixed beforehand.

    Args:
        model: whose parameters are averaged; the average starts at them.
        decay: of the average per step; its window is about 1 / (1 - decay) steps.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        for number, parameter in enumerate(model.parameters()):
            self.register_buffer(str(number), parameter.detach().clone())

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take up the weights after a step."""
        averages, parameters = list(self.buffers()), [p.detach() for p in model.parameters()]
        torch._foreach_lerp_(averages, parameters, 1 - self.decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Give the model the averaged weights within a `with` block."""
        latest = [parameter.detach().clone() for parameter in model.parameters()]
        self._write(model, list(self.buffers()))
        try:
            yield
        finally:
            self._write(model, latest)

    @torch.no_grad()
    def _write(self, model: nn.Module, values: list[Tensor]) -> None:
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(value)
