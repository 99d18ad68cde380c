"""Means over a batch that several processes share.

Each process has a part of every batch, and parts differ in size. With these functions, the mean of all processes'
losses is the loss of the whole batch. DistributedDataParallel takes the mean of their gradients, which is its gradient.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor, distributed


def world() -> int:
    """Return the number of processes that train together; 1 if there is no process group."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def per_process(counts: Tensor) -> Tensor:
    """Return the mean over all processes of counts of this one; the counts themselves if it is the only one."""
    if world() == 1:
        return counts
    total = counts.to(torch.get_default_dtype())
    distributed.all_reduce(total)
    return total / world()


def share(count: int, device: torch.device) -> Tensor | float:
    """Return the factor that turns a mean over this process's part of a batch into its share of the whole mean.

    With 30 values here and 10 in the other process, 30 / 20: the mean over processes counts each value alike.
    """
    return 1.0 if world() == 1 else count / per_process(torch.tensor(count, device=device))


def counted_here(rows_S: Int[Tensor, " S"], number: int) -> Bool[Tensor, " S"]:
    """Return which of some distinct rows this process counts, so that each row of a batch is counted once.

    The process with the lowest rank among those that have a row counts it.

    Args:
        rows_S: distinct, each from 0 to `number` - 1.
        number: of rows that there are.
    """
    if world() == 1:
        return torch.ones_like(rows_S, dtype=torch.bool)
    rank = distributed.get_rank()
    lowest = torch.full((number,), world(), dtype=torch.int32, device=rows_S.device)
    lowest[rows_S] = rank
    distributed.all_reduce(lowest, distributed.ReduceOp.MIN)
    return lowest[rows_S] == rank
