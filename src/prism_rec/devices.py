"""The device that computes, and its memory."""

import ctypes
import os
from typing import TYPE_CHECKING

from prism_rec.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> "torch.device":
    """Return the device called `cpu`, `cuda`, `cuda:1`, ...; `auto` is CUDA if there is a GPU, else the CPU.

    `cuda` is the GPU of this process if `torchrun` started several on the machine.

    Raises:
        InputError: there is no such device on this machine.
    """
    import torch  # slow to import; commands without a model do not need it

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    local = os.environ.get("LOCAL_RANK")  # of a process that torchrun started
    if name == "cuda" and local is not None:
        if int(local) >= torch.cuda.device_count():
            raise InputError(
                "there are more processes than GPUs on this machine; start one per GPU, or use cpu"
            )
        name = f"cuda:{local}"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise InputError(f"device {name} is not available on this machine; use cpu or auto") from None


def use_huge_pages() -> None:
    """Let PyTorch keep large CPU tensors in huge pages, so that a training step has fewer page faults (Linux).

    A step allocates and frees many tensors of some megabytes. Without huge pages, the kernel maps each 4 KB of them
    again. Results are the same bit for bit. The call must come before PyTorch allocates its first tensor. If the
    environment variable is set already, its value is kept.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


_MMAP_THRESHOLD = -3  # the number of this setting in glibc's malloc.h
_LARGE = 16 << 20


def give_back_memory() -> None:
    """Let the C library give tensors of 16 MB and more back to the system as soon as they are freed (glibc).

    By default this size grows to 32 MB as large tensors are freed. Batches have different sizes, so what is freed below
    it leaves holes that the next tensors do not fit. Memory grows for tens of steps: with `prism_experts` to 1,170 MB
    in place of 830. Giving it back costs up to 3 % of the time. Results are the same bit for bit. Other C libraries are
    left as they are. If the environment variable is set already, its value is kept.
    """
    name = "MALLOC_MMAP_THRESHOLD_"  # is read when a process starts, so it reaches the processes that this one starts
    if name in os.environ:
        return
    os.environ[name] = str(_LARGE)
    try:
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
    except (AttributeError, OSError, TypeError):  # macOS, musl, Windows
        return


def let_threads_sleep() -> None:
    """Let PyTorch's CPU threads sleep soon while they wait for each other, so that other programs slow them down less.

    By default a waiting thread keeps its core busy for some milliseconds. If another program needs that core, the
    thread that is waited for may be the one that does not run. 5,000 turns are long enough for nearly all waits on
    idle cores. Threads that sleep at once lose a third of the speed there. Results are the same bit for bit. The call
    must come before PyTorch is imported, and works with GNU OpenMP, which PyTorch has on Linux. If the environment
    variable is set already, its value is kept.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")


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
