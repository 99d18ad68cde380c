"""Where tensors are computed, and what happens where there is no room for them."""

from typing import TYPE_CHECKING

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> "torch.device":
    """Return the device called `cpu`, `cuda`, `cuda:1`, ...; `auto` is CUDA where there is one.

    Raises:
        InputError: no such device here.
    """
    import torch  # what reads a catalogue without a model need not wait for it

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise InputError(f"device {name} is not to be had here; take cpu, or auto") from None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that a tensor found no room; on the CPU PyTorch says so in words alone."""
    import torch

    told = any(words in str(error) for words in ("can't allocate memory", "not enough memory"))
    return told or isinstance(error, torch.OutOfMemoryError | MemoryError)
