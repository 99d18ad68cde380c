"""Every format of exported models keeps the contract of formats."""

import pytest

from prism_rec.exporting.formats import AnyModelFormat, Onnx, TorchProgram
from prism_rec.testing import ModelFormatContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


@pytest.mark.slow
class TestOnnx(ModelFormatContract):
    config = Onnx()


class TestTorchProgram(ModelFormatContract):
    config = TorchProgram()


def test_every_format_has_a_contract_test() -> None:
    assert_every_one_has_a_contract_test(AnyModelFormat, ModelFormatContract, globals())
