"""The gate alone: its temperature, its dropout, and that settings reach it."""

import pytest
import torch
from torch.testing import assert_close

from prism_rec.fusion.baselines import GateFusionConfig
from prism_rec.fusion.gate import Gate, prefix_means
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.fusion.reading import ModalityShape

EVIDENCE = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))


def test_it_drops_hidden_elements_in_training_only():
    torch.manual_seed(0)
    gate = Gate(3, 4, dropout=0.5)
    assert not torch.equal(gate(EVIDENCE), gate(EVIDENCE))
    assert torch.equal(gate.eval()(EVIDENCE), gate(EVIDENCE))
    still = Gate(3, 4, dropout=0.0)
    assert torch.equal(still(EVIDENCE), still(EVIDENCE))


def test_the_temperature_divides_the_logits():
    torch.manual_seed(0)
    gate = Gate(3, 4, temperature=1.0, dropout=0.0)
    logits = gate(EVIDENCE).log()
    gate.temperature = 0.25
    assert_close(gate(EVIDENCE), (logits / 0.25).softmax(-1))


def test_a_prefix_is_averaged_up_to_each_position():
    x = torch.tensor([[[2.0], [4.0], [9.0]]])
    assert prefix_means(x, torch.tensor([3])).flatten().tolist() == [2, 3, 5]


@pytest.mark.parametrize(
    "kind", [ExpertPrismConfig, PublishedPrismConfig, GateFusionConfig], ids=lambda kind: kind.__name__
)
def test_settings_reach_the_gate(kind):
    name = "dropout" if kind is GateFusionConfig else "gate_dropout"
    gate = kind(**{name: 0.25, "temperature": 0.4}).build({"text": ModalityShape(3)}, 4).gate
    assert (gate.dropout.probability, gate.temperature) == (0.25, 0.4)
