"""The optimiser: Adam over all parameters, or Adam that changes only the id vectors that a step uses."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from prism_rec import processes
from prism_rec.errors import SettingsError
from prism_rec.training.config import TrainConfig
from prism_rec.training.step import TrainStep


def make_optimizer(step: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return Adam or AdamW over all parameters of a step, with its update fused into one kernel.

    Raises:
        SettingsError: `sparse_ids` with several processes on GPUs.
    """
    settings: dict[str, Any] = {
        "lr": config.learning_rate,
        "weight_decay": config.weight_decay,
        "fused": True,
    }
    if config.sparse_ids:
        if processes.world() > 1 and next(step.parameters()).device.type == "cuda":
            raise SettingsError(
                "GPUs of several processes cannot exchange the gradients of single ids; leave `train.sparse_ids` out"
            )
        return SparseIdsAdam(cast(TrainStep, step), **settings)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(step.parameters(), **settings)


class SparseIdsAdam(torch.optim.Adam):
    """Adam whose steps read and write only the id vectors that have a gradient, without momentum for ids.

    The id vectors move as those of Adam with `betas=(0, b2)`, of which a row without a gradient stays as it is and only
    its mean square decays. The decay is made up for in the next step that uses the row:

        v <- b2^(steps since the last use) v + (1 - b2) g^2,      id <- id - rate g / (sqrt(v / (1 - b2^step)) + eps)

    With momentum, a row would move on for tens of steps after each use, which no step can make up for in one formula.
    Over these steps it would move as far as here in one, if gradients are rare. A row of the state has one moment, and
    gradients take no memory for the rows that are not used.

    Args:
        step: the module whose parameters are trained; gradients of its ids become sparse.
        settings: of Adam; there must be no weight decay.
    """

    def __init__(self, step: TrainStep, **settings: Any) -> None:
        ids = step.model.items.ids
        ids.sparse = True
        super().__init__(step.parameters(), **settings)
        self.ids = ids.weight

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        gradient, self.ids.grad = self.ids.grad, None
        super().step(closure)
        if gradient is not None:
            self._update(gradient.coalesce())

    def _update(self, gradient: Tensor) -> None:
        """Update the rows of a sparse gradient, each of which occurs once."""
        (rows_I,), values_IV = gradient.indices(), gradient.values()
        state, group = self.state[self.ids], self.param_groups[0]
        if not state:
            state["step"] = torch.zeros((), device=self.ids.device)
            state["exp_avg_sq"] = torch.zeros_like(self.ids)
            state["last_step"] = torch.zeros(len(self.ids), device=self.ids.device)
        state["step"] += 1
        decay, now = group["betas"][1], state["step"]
        since_I1 = (now - state["last_step"][rows_I])[:, None]
        squares_IV = state["exp_avg_sq"][rows_I] * decay**since_I1
        squares_IV.addcmul_(values_IV, values_IV, value=1 - decay)
        state["exp_avg_sq"][rows_I] = squares_IV
        state["last_step"][rows_I] = now
        usual_IV = (squares_IV / (1 - decay**now)).sqrt_().add_(group["eps"])
        self.ids.index_add_(0, rows_I, values_IV.div(usual_IV), alpha=-group["lr"])
