import torch
from torch import nn

from prism_rec.train.average import WeightAverage


def test_it_is_the_moving_average_and_the_latest_weights_come_back():
    model = nn.Linear(2, 1, bias=False)
    weights = [torch.tensor([[a, 2 * a]]) for a in (1.0, 3.0, -2.0)]
    model.weight.data.copy_(weights[0])
    average = WeightAverage(model, 0.75)
    expected = weights[0]
    for weight in weights[1:]:
        model.weight.data.copy_(weight)
        average.update(model)
        expected = 0.75 * expected + 0.25 * weight
    with average.applied(model):
        torch.testing.assert_close(model.weight.data, expected)
    assert torch.equal(model.weight.data, weights[-1])
