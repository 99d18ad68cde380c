"""InDiRec as a whole: over every backbone and fusion, resumable, and its intents are those planted."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from objectives.indirec.planted_intents import adjusted_rand_index, plant
from prism_rec.batches import BatchPlan
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.model import SequenceRecommender
from prism_rec.objectives.indirec.contrastive import info_nce
from prism_rec.objectives.indirec.objective import InDiRec, segment_states
from prism_rec.rank import Ranker
from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.loop import fit, train_epoch
from prism_rec.training.optimizer import make_optimizer
from prism_rec.training.step import TrainStep

LAST = "last.safetensors"
INTENTS, EACH = 4, 8
ITEMS = INTENTS * EACH
HISTORIES, INTENT_OF_USER = plant(INTENTS, EACH, users=40)
BACKBONES = ["sasrec", "esasrec", "bsarec", "gru4rec", "hstu", "stosa"]
FUSIONS = ["id", "sum", "prism", "prism_published"]
PLAN = BatchPlan(max_length=6, batch_size=64, seed=0)


def features() -> dict[str, FeatureTable]:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(2, ITEMS + 1, 6)).astype(np.float32)
    present = random.random((2, ITEMS + 1)) < 0.8
    present[:, 0] = False
    return {
        name: FeatureTable(v * p[:, None], p)
        for name, v, p in zip(("image", "text"), vectors, present, strict=True)
    }


def run_of(
    backbone: str = "sasrec", fusion: str = "id", dropout: float = 0.2, **objective: object
) -> RunConfig:
    model = {
        "width": 16,
        "max_length": 6,
        "backbone": {"kind": backbone, "dropout": dropout},
        "fusion": {"kind": fusion},
    }
    return RunConfig.parse(
        {"model": model, "objective": {"kind": "indirec", "intents": INTENTS, "steps": 5} | objective}
    )


def ready(run: RunConfig, seed: int = 0) -> tuple[SequenceRecommender, InDiRec]:
    torch.manual_seed(seed)
    model = run.model.build(ITEMS, features())
    objective = run.objective.build()
    objective.begin_training(model, HISTORIES)
    return model, objective


@pytest.mark.parametrize(
    ("backbone", "fusion"),
    [*((backbone, "prism") for backbone in BACKBONES), *(("sasrec", fusion) for fusion in FUSIONS)],
)
def test_over_any_encoder_it_reaches_every_parameter(backbone, fusion):
    run = run_of(backbone, fusion)
    assert RunConfig.parse(run.model_dump(mode="json")) == run
    model, objective = ready(run)
    batches = objective.batches(HISTORIES, PLAN)
    objective.begin_epoch(model, 1)
    model.train()
    outcome = objective(model, next(batches.epoch(1)))
    assert len(outcome.reading.packing.lengths_B) == 64
    (outcome.loss + model.interaction_loss(outcome.reading)).backward()
    for module in (model, objective):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.any(), name


def test_the_loss_and_its_gradient_are_those_of_its_three_parts():
    model, objective = ready(run_of(diffusion_weight=3.0, contrastive_weight=0.5))
    model = model.double().eval()
    batch = next(objective.batches(HISTORIES, PLAN).epoch(1))
    # In place of the diffusion, something without chance.
    objective.diffusion.loss = lambda x0, guides: (x0 * guides).square().mean()
    objective.diffusion.generate = lambda guides: guides.detach().sin()

    def slopes(loss: torch.Tensor) -> list[torch.Tensor]:
        return torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)

    items = model.item_set()
    reading = model.read(batch.items_P, batch.lengths_B, items=items)
    states, guides = model.encode_last(reading).states.chunk(2)
    expected = (
        F.cross_entropy(states @ items.ids_IV[1:].T, batch.targets_G - 1)
        + 3 * objective.diffusion.loss(items.ids_IV[batch.targets_G], guides)
        + 0.5 * info_nce(objective.diffusion.generate(guides), states, batch.targets_G, 1.0)
    )
    loss = objective(model, batch).loss
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(slopes(loss), slopes(expected))


@pytest.mark.parametrize("backbone", ["sasrec", "stosa"])
@pytest.mark.slow
def test_it_learns_what_comes_next(backbone):
    random = np.random.default_rng(0)
    histories = Histories.from_lists(
        [
            (start + 3 * np.arange(length)) % ITEMS + 1
            for start, length in random.integers((0, 4), (ITEMS, 8), (50, 2))
        ]
    )
    model, objective = ready(run_of(backbone, dropout=0.0))
    train = TrainConfig(learning_rate=1e-2, optimizer="adamw", gradient_clip=1.0)
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, train)
    batches = objective.batches(histories, PLAN)
    asked = histories.prefixes(np.arange(50), histories.lengths - 1)
    targets = histories.items[histories.offsets[1:] - 1]
    first = []
    while len(first) < 30 and 1 not in first:
        train_epoch(step, optimizer, batches, len(first) + 1, train)
        first.append(np.mean(Ranker(model).rank(asked, targets).ranks == 1))
    assert first[-1] == 1, first


@pytest.mark.slow
def test_it_finds_the_intents_that_were_planted():
    model, objective = ready(run_of())
    train = TrainConfig(learning_rate=5e-3, optimizer="adamw", gradient_clip=1.0)
    step = TrainStep(model, objective)
    optimizer = make_optimizer(step, train)
    batches = objective.batches(HISTORIES, PLAN)
    of_segment = INTENT_OF_USER.repeat(HISTORIES.lengths - 1)

    def agreement() -> float:
        objective.begin_epoch(model, 1)
        return adjusted_rand_index(batches.intents.labels, of_segment)

    assert agreement() < 0.5
    for epoch in range(1, 16):
        train_epoch(step, optimizer, batches, epoch, train)
    assert agreement() >= 0.8


def test_resumed_training_ends_with_the_same_numbers_bit_for_bit(tmp_path: Path):
    def train(
        folder: Path, epochs: int, seed: int
    ) -> tuple[list[tuple[float, float]], dict[str, torch.Tensor]]:
        model, objective = ready(run_of(fusion="prism"), seed)
        config = TrainConfig(epochs=epochs, batch_size=64, optimizer="adamw")
        folder.mkdir(exist_ok=True)

        def validate(model: SequenceRecommender) -> dict[str, float]:
            return {"ndcg@10": float(torch.get_rng_state().sum() % 1000)}  # notices another course of chance

        records = fit(
            model, objective, HISTORIES, config, validate, folder / LAST, folder / "best.safetensors"
        )
        return [(record.loss, record.validation["ndcg@10"]) for record in records], model.state_dict()

    whole, whole_weights = train(tmp_path / "whole", 3, seed=0)
    train(tmp_path / "stopped", 2, seed=0)
    (tmp_path / "resumed").mkdir()
    for file in (tmp_path / "stopped").iterdir():
        shutil.copy(file, tmp_path / "resumed" / file.name)
    assert (tmp_path / "resumed" / LAST).exists()
    resumed, resumed_weights = train(tmp_path / "resumed", 3, seed=1)
    assert resumed == whole
    assert all(torch.equal(resumed_weights[name], weights) for name, weights in whole_weights.items())


def test_the_states_clustered_are_those_that_ranking_sees():
    model, objective = ready(run_of(fusion="prism"))
    segments = objective.batches(HISTORIES, PLAN).segments
    states = segment_states(model.train(), segments, np.arange(len(segments)))
    assert not model.training
    users = np.arange(len(HISTORIES))
    last = (HISTORIES.lengths - 1).cumsum() - 1  # each user's longest segment: all but the last item
    asked = HISTORIES.prefixes(users, HISTORIES.lengths - 1)
    torch.testing.assert_close(states[last], Ranker(model).states(asked, users).states)


def test_what_is_diffused_is_the_target_as_candidates_are_scored():
    for fusion, candidates in (("prism", "id"), ("prism", "content"), ("sum", "content")):
        run = run_of(fusion=fusion)
        model = run.model.model_copy(update={"candidates": candidates}).build(ITEMS, features()).eval()
        items = model.item_set()
        reading = model.read(torch.tensor([1, 2, 3]), torch.tensor([3]), items=items)
        users, target = model.encode_last(reading), torch.tensor([5])
        vector = model.vectors(users, target, items)
        # Scored by the dot product, the vector's score is the item's.
        score = (vector * users.states).sum(1, keepdim=True)
        torch.testing.assert_close(score, model.score(users, target[:, None], items))
        assert torch.equal(vector, items.ids_IV[target]) == (candidates == "id")


def test_an_odd_width_and_nothing_to_learn_are_refused_in_one_line():
    with pytest.raises(InputError, match=r"^x\.yaml: objective indirec needs an even model.width") as caught:
        RunConfig.parse({"model": {"width": 15}, "objective": {"kind": "indirec"}}, "x.yaml")
    assert "\n" not in str(caught.value)
    _, objective = ready(run_of())
    with pytest.raises(InputError, match="no training history has two items"):
        objective.batches(Histories.from_lists([[1], [2]]), PLAN)
