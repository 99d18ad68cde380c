"""The low-pass filter along a sequence, as a matrix."""

import torch
from jaxtyping import Float
from torch import Tensor


def low_pass_matrix(window: int, frequencies: int) -> Float[Tensor, "L L"]:
    """Return the matrix that keeps the lowest frequencies of a sequence of `window` places.

    Its entry for two places depends on the distance between them alone, so that it serves a shorter sequence, wherever
    that stands in a window of zeros, with its first rows and columns.

    Args:
        window: L.
        frequencies: how many are kept, the constant one included; from L // 2 + 1 on, all: the identity.
    """
    spectrum = torch.fft.rfft(torch.eye(window, dtype=torch.float64), dim=0)
    spectrum[frequencies:] = 0
    return torch.fft.irfft(spectrum, n=window, dim=0).to(torch.get_default_dtype())
