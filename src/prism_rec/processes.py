"""Processes that train one model together, as `torchrun` starts them: one per device, on one machine or several."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import torch

IntArray = npt.NDArray[np.int64]
LOST = "another process of this training has ended; run the same command again: finished epochs are kept"
_SAID = "prism-rec/said"


def rank() -> int:
    """Return the number of this process, from 0."""
    group = _group()
    return int(group.get_rank() if group else os.environ.get("RANK") or 0)


def world() -> int:
    """Return the number of processes that were started together."""
    group = _group()
    return int(group.get_world_size() if group else os.environ.get("WORLD_SIZE") or 1)


def is_first() -> bool:
    """Return whether this process is the one that writes files and shows progress."""
    return rank() == 0


def _group() -> Any:
    """Return `torch.distributed` if this process belongs to a group; PyTorch is not imported for this."""
    distributed = sys.modules.get("torch.distributed")
    return (
        distributed if distributed and distributed.is_available() and distributed.is_initialized() else None
    )


@contextmanager
def joined(device: "torch.device") -> Iterator[None]:
    """Let this process exchange tensors with those that were started with it: gloo on the CPU, NCCL on GPUs.

    Does nothing for a single process, or if the program has made a process group itself.

    Raises:
        InputError: another process has ended.
    """
    if world() == 1:
        yield
        return
    import torch
    from torch import distributed

    made = not distributed.is_initialized()
    if made:
        backend = "gloo"
        if device.type == "cuda":
            backend = "cpu:gloo,cuda:nccl"
            torch.cuda.set_device(device)
        distributed.init_process_group(backend)
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error):
            raise
        raise InputError(LOST) from error
    finally:
        if made and distributed.is_initialized():
            distributed.destroy_process_group()


def say_errors_only() -> None:
    """Let PyTorch print errors but no warnings if there are several processes, each of which would repeat them.

    The call must come before PyTorch is imported. If the environment variable is set already, its value is kept.
    """
    if world() > 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def speaks_last() -> bool:
    """Return whether this process says why all of them end: the first one that asks, so that it is said once."""
    if world() == 1:
        return True
    try:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        socket.create_connection(
            (address, port), timeout=5
        ).close()  # PyTorch would print that nobody answers
        from torch.distributed import TCPStore  # type: ignore[attr-defined]

        store = TCPStore(address, port, is_master=False, timeout=timedelta(seconds=5))
        return int(store.add(f"{_SAID}/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", 1)) == 1
    except (
        ImportError,
        KeyError,
        OSError,
        ValueError,
        RuntimeError,
    ):  # no store, or it ended with its process
        return rank() == 0


def leave(status: int) -> NoReturn:
    """End this process with a status.

    One of several ends at once: after a lost connection, PyTorch's threads can abort the interpreter while it ends,
    and the status would be that of a crash.
    """
    if world() == 1:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def wait() -> None:
    """Wait until all processes have come here."""
    if world() > 1:
        import torch
        from torch import distributed

        distributed.all_reduce(torch.zeros(1))


def in_parts(number: int, function: Callable[[int, int], IntArray]) -> IntArray:
    """Return a number per row for rows 0 to `number`, each process computing its part of them.

    Args:
        number: of rows.
        function: called with the first row of a part and the row after its last one; returns an int64 array.
    """
    if world() == 1:
        return function(0, number)
    import torch
    from torch import distributed

    begin, end = (number * place // world() for place in (rank(), rank() + 1))
    found = torch.zeros(number, dtype=torch.int64)
    found[begin:end] = torch.from_numpy(function(begin, end))
    distributed.all_reduce(found)
    return found.numpy()


def share_random_numbers(device: "torch.device") -> None:
    """Make PyTorch draw the same random numbers in all processes as in the first."""
    import torch
    from torch import distributed

    if world() == 1:
        return
    state = torch.get_rng_state()
    distributed.broadcast(state, 0)
    torch.set_rng_state(state)
    if device.type == "cuda":
        state = torch.cuda.get_rng_state(device)
        distributed.broadcast(state, 0)
        torch.cuda.set_rng_state(state, device)


def part_random_numbers(seed: int, epoch: int) -> None:
    """Make PyTorch draw random numbers of its own in every process but the first, which goes on as it is."""
    if is_first():
        return
    import torch

    torch.manual_seed(int(np.random.SeedSequence([seed, epoch, rank()]).generate_state(1)[0]))
