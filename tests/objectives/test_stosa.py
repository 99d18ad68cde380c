import pytest
import torch
import torch.nn.functional as F

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.nn.gaussian import Gaussian, gaussian_distance
from prism_rec.objectives.stosa import StosaObjective
from prism_rec.training.config import RunConfig

ITEMS = 12
HISTORIES = Histories.from_lists([[1, 2, 3, 4], [5, 6], [7, 8, 1]])
DISTANCES = ["wasserstein", "kl"]


def prepared(model: SequenceRecommender, negatives: int, weight: float) -> StosaObjective:
    objective = StosaObjective(negatives, weight)
    objective.begin_training(model, HISTORIES)
    return objective


def built(**backbone: object):
    config = ModelConfig.parse({"width": 8, "max_length": 5, "backbone": backbone}, "here")
    torch.manual_seed(0)
    model = config.build(ITEMS, {}).double().eval()
    for parameter in model.parameters():
        parameter.data += torch.randn_like(parameter) / 3
    return model


@pytest.mark.parametrize("distance", DISTANCES)
def test_it_is_the_published_loss(distance):
    model = built(kind="stosa", distance=distance, heads=2)
    model.items.ids.weight.data *= 2.5  # so that some targets are nearer to the user than to the negative
    batch = next(TrainingBatches(HISTORIES, BatchPlan(5, 3, seed=0)).epoch(1))
    objective = prepared(model, negatives=1, weight=0.005)
    torch.manual_seed(1)
    loss = objective(model, batch).loss
    torch.manual_seed(1)
    target, negative = objective.candidates(batch).T
    reading = model.read(batch.items_P, batch.lengths_B)
    items, state = reading.items, model.encode(reading).states

    def gaussian(rows: torch.Tensor) -> Gaussian:
        return Gaussian(items.ids_IV[rows, :8], F.elu(items.ids_IV[rows, 8:]) + 1)

    d = gaussian_distance(distance).rowwise
    user = Gaussian(state[:, :8], state[:, 8:])
    near, far = d(user, gaussian(target)), d(user, gaussian(negative))
    excess = (near - d(gaussian(target), gaussian(negative))).clamp_min(0)
    assert (excess == 0).any()
    assert (excess > 0).any()
    expected = (-torch.log(torch.sigmoid(far - near)) + 0.005 * excess).mean()
    torch.testing.assert_close(loss, expected)


def test_the_weight_counts_and_so_does_every_negative():
    model = built(kind="stosa", heads=2)
    batch = next(TrainingBatches(HISTORIES, BatchPlan(5, 3, seed=0)).epoch(1))
    losses = []
    for negatives, weight in ((1, 0.0), (1, 1.0), (7, 1.0)):
        torch.manual_seed(1)
        losses.append(prepared(model, negatives, weight)(model, batch).loss.item())
    assert losses[0] < losses[1]
    assert losses[1] != losses[2]


def test_another_backbone_is_refused_in_one_line():
    message = "^run.yaml: objective stosa needs a backbone that scores by a distance, .* esasrec does not"
    with pytest.raises(InputError, match=message) as caught:
        RunConfig.parse(
            {"objective": {"kind": "stosa"}, "model": {"backbone": {"kind": "esasrec"}}}, "run.yaml"
        )
    assert "\n" not in str(caught.value)
    batch = next(TrainingBatches(HISTORIES, BatchPlan(5, 3, seed=0)).epoch(1))
    with pytest.raises(NotImplementedError, match="GRU4Rec has no distance between items"):
        prepared(built(kind="gru4rec"), 1, 0.005)(built(kind="gru4rec"), batch)


def test_its_own_backbone_is_taken():
    run = RunConfig.parse(
        {"objective": {"kind": "stosa"}, "model": {"backbone": {"kind": "stosa"}}}, "run.yaml"
    )
    assert isinstance(run.objective.build(), StosaObjective)


@pytest.mark.parametrize("kind", ["cross_entropy", "indirec"])
def test_distances_in_bfloat16_are_refused(kind):
    settings = {
        "objective": {"kind": kind, "precision": "bfloat16"},
        "model": {"backbone": {"kind": "stosa"}},
    }
    with pytest.raises(
        InputError, match="^run.yaml: distances of backbone stosa need objective.precision: float32"
    ):
        RunConfig.parse(settings, "run.yaml")
    settings["objective"]["precision"] = "float32"
    RunConfig.parse(settings, "run.yaml")
