import pytest
import torch

from prism_rec.backbones.bsarec import low_pass_matrix


@pytest.mark.parametrize("window", [1, 2, 7, 12])
@pytest.mark.parametrize("frequencies", [1, 3])
def test_it_keeps_the_lowest_frequencies_of_a_whole_window(window, frequencies):
    signal = torch.randn(window, 4, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(signal, dim=0)
    spectrum[frequencies:] = 0
    expected = torch.fft.irfft(spectrum, n=window, dim=0)
    torch.testing.assert_close(low_pass_matrix(window, frequencies) @ signal, expected)


@pytest.mark.parametrize("begin", [0, 2, 7])
def test_its_corner_serves_a_short_sequence_anywhere_in_a_window_of_zeros(begin):
    signal = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    window = torch.zeros(12, 4)
    window[begin : begin + 5] = signal
    matrix = low_pass_matrix(12, 3)
    torch.testing.assert_close(matrix[:5, :5] @ signal, (matrix @ window)[begin : begin + 5])


def test_all_frequencies_kept_change_nothing():
    torch.testing.assert_close(low_pass_matrix(9, 5), torch.eye(9))
    assert not torch.allclose(low_pass_matrix(9, 4), torch.eye(9), atol=1e-3)
