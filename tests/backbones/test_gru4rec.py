import torch

from prism_rec.backbones.gru4rec import GRU4RecConfig


def test_the_state_is_that_of_a_gru_read_item_by_item():
    torch.manual_seed(0)
    backbone = GRU4RecConfig(hidden=6).build(4, 10).double().eval()
    gru = backbone.gru
    inputs = torch.randn(2, 5, 4, dtype=torch.float64)
    states = backbone(inputs, torch.tensor([5, 5]))
    hidden = torch.zeros(2, 6, dtype=torch.float64)
    for t in range(5):
        reset_x, update_x, new_x = (inputs[:, t] @ gru.weight_ih_l0.T).chunk(3, -1)
        reset_h, update_h, new_h = (hidden @ gru.weight_hh_l0.T).chunk(3, -1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        hidden = (1 - update) * new + update * hidden
        expected = hidden @ backbone.output.weight.T + backbone.output.bias
        torch.testing.assert_close(states[:, t], expected, rtol=0, atol=1e-10)


def test_it_tells_the_order_of_items():
    torch.manual_seed(0)
    backbone = GRU4RecConfig(layers=2).build(4, 10).eval()
    inputs = torch.randn(1, 3, 4)
    lengths = torch.tensor([3])
    turned = backbone(inputs.flip(1), lengths)[:, -1]
    assert not torch.allclose(backbone(inputs, lengths)[:, -1], turned, atol=1e-3)
