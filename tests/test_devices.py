import os
import platform
import subprocess
import sys

import pytest

from prism_rec.devices import choose_device, give_back_memory, let_threads_sleep, use_huge_pages
from prism_rec.errors import InputError


def test_a_device_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(
        InputError, match="^device cuda:99 is not available on this machine; use cpu or auto$"
    ):
        choose_device("cuda:99")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("call", "variable", "value", "other"),
    [
        (use_huge_pages, "THP_MEM_ALLOC_ENABLE", "1", "0"),
        (let_threads_sleep, "GOMP_SPINCOUNT", "5000", "1"),
        (give_back_memory, "MALLOC_MMAP_THRESHOLD_", "16777216", "131072"),
    ],
)
def test_pytorch_is_set_up_unless_the_user_has_decided(monkeypatch, call, variable, value, other):
    monkeypatch.setenv(variable, "")  # so that it is as before after the test
    monkeypatch.delenv(variable)
    call()
    assert os.environ[variable] == value
    monkeypatch.setenv(variable, other)
    call()
    assert os.environ[variable] == other


@pytest.mark.slow
def test_the_command_line_sets_pytorch_up_before_it_is_imported():
    """The threads of a PyTorch that is imported already never read the variable."""
    code = (
        "import os, sys; from prism_rec.cli import app; assert 'torch' not in sys.modules; "
        "sys.argv = ['prism-rec', '--version']; app.main(); print(os.environ['GOMP_SPINCOUNT'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split()[-1] == "5000", done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
@pytest.mark.parametrize(("call", "own_regions"), [("", 0), ("give_back_memory()", 1)])
def test_large_tensors_have_memory_of_their_own_even_after_larger_ones(call: str, own_regions: int) -> None:
    """Without the call, glibc takes the size of what was freed as the new size below which it keeps memory."""
    code = (
        "import ctypes; from prism_rec.devices import give_back_memory\n"
        f"{call}\n"
        "class Facts(ctypes.Structure): _fields_ = [(f'field{place}', ctypes.c_size_t) for place in range(10)]\n"
        "c = ctypes.CDLL(None); c.mallinfo2.restype = Facts; regions = lambda: c.mallinfo2().field3\n"
        "large = bytearray(31 << 20); del large; before = regions()\n"
        "kept = bytearray(20 << 20); print(regions() - before)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_MMAP_THRESHOLD_"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == f"{own_regions}\n", done.stderr
