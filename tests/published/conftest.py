import pytest

from prism_rec.model import SequenceRecommender
from prism_rec.testing.checks import build_model
from published.small import PRISM, SASREC


@pytest.fixture
def model() -> SequenceRecommender:
    return build_model(PRISM, SASREC)
