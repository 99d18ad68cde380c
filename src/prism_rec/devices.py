"""Devices: which one computes, and how much memory it has needed."""

from typing import TYPE_CHECKING

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> "torch.device":
    """Return the device called `cpu`, `cuda`, `cuda:1`, ...; `auto` is CUDA if there is one.

    Raises:
        InputError: this machine does not have the device.
    """
    import torch  # commands that compute nothing start without it

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise InputError(f"device {name} is not available on this machine; use cpu or auto") from None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory ran out; on the CPU, only PyTorch's message says so."""
    import torch

    told = any(words in str(error) for words in ("can't allocate memory", "not enough memory"))
    return told or isinstance(error, torch.OutOfMemoryError | MemoryError)


def peak_memory(device: "torch.device") -> int:
    """Return the most bytes that were in use at once.

    On a GPU these are this process's tensors; on the CPU, all memory of the process since it began, and 0 if the
    operating system does not report it.
    """
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
