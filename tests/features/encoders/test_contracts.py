import pytest

from prism_rec.features.encoders.settings import (
    EfficientNet,
    EncoderConfig,
    HashedText,
    HuggingFace,
    PictureDescriptors,
    Words,
)
from prism_rec.testing import EncoderContract
from prism_rec.testing.checks import covered, registered


class TestHashedText(EncoderContract):
    config = HashedText(width=8)
    other = HashedText(width=4)


class TestPictureDescriptors(EncoderContract):
    config = PictureDescriptors()


@pytest.mark.slow
class TestEfficientNet(EncoderContract):
    config = EfficientNet()


@pytest.mark.slow
class TestHuggingFace(EncoderContract):
    config = HuggingFace()

    @pytest.fixture(autouse=True)
    def local_model(self, tiny_clip):
        self.config = HuggingFace(model=str(tiny_clip))
        self.other = HuggingFace(model=str(tiny_clip), precision="bfloat16")


def test_every_registered_encoder_of_vectors_has_a_contract_test():
    assert registered(EncoderConfig) - covered(globals(), EncoderContract) == {Words}
