"""Defects of PRISM's released code: one test for each, in the model, its losses and its backbones.

Before this library was written, the released code was compared with the paper, line by line. The comparison found
22 defects and differences, numbered in the order in which they were found: `test_defect_07_...` tests number 7. Each
test passes here and would fail on the released code. `test_protocol.py` has the numbers that concern data, negatives,
evaluation and files. In the released code:

1. The interaction losses are taken on mean-pooled embeddings; the paper takes them on predictions.
2. The triplet loss has Euclidean distance and margin 1; the paper has cosine distance.
3. The experts see the mean of the whole training window, so every position sees its own target.
4. This mean also runs over padding.
5. The noise of masked views has a norm of about 16; the features that it replaces have about 0.3.
6. Dropout in the experts is computed and its result is not used.
7. STOSA's mean stream is never passed from one layer to the next.
8. SASRec cannot be constructed, and InDiRec has no PRISM.
9. Items that the user has seen get score 0, and padding stays a candidate.
10. Candidates are scored by their id only, so an item without history cannot be recommended.
11. Frozen features are held in trainable tables, one copy per stream.
12. An item that lacks one modality loses the other as well.
13. The weights of the losses are parsed as integers and never read.
14. InDiRec's evaluation drops the last batch, and inference also computes the noisy views.
15. The id of the mask can be drawn as a negative, and every batch is padded to length 100.
16. Lines of data files are run through `eval`.
17. The pairwise KL divergence is wrong for sides of equal length, and its determinant underflows.
18. The encoder's input also has the projected image and text, so a gain cannot be attributed to PRISM.
19. Negatives avoid the user's validation and test items.
20. Training uses the KL divergence, ranking uses the Wasserstein distance.
21. Evaluation without training masks with the history of the wrong split.
22. The 5-core is filtered in one pass.
"""

import pytest
import torch

from prism_rec.backbones.gru4rec import GRU4RecConfig
from prism_rec.backbones.stosa import StosaConfig, id_gaussian
from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.errors import InputError
from prism_rec.fusion.baselines import SumFusionConfig
from prism_rec.fusion.prism.losses import Lambdas, triplet_loss
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.views import draw_noise
from prism_rec.model.config import BackboneConfig, FusionConfig
from prism_rec.nn.gaussian import Gaussian, gaussian_distance
from prism_rec.testing import plant_features
from prism_rec.testing.checks import (
    HISTORIES,
    ITEMS,
    WIDTH,
    assert_equal,
    build_model,
    read,
    registered,
    score_all,
)
from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.optimizer import make_optimizer
from published.small import PRISM, SASREC, TRAINING


def interaction_loss(fusion: PrismConfig | PublishedPrismConfig) -> torch.Tensor:
    model = build_model(fusion, SASREC)
    torch.manual_seed(0)
    return model.interaction_loss(read(model, HISTORIES))


@pytest.mark.parametrize("form", [PrismConfig, PublishedPrismConfig])
def test_defect_01_losses_are_taken_on_embeddings_or_on_predictions_by_name(form):
    embedding, prediction = (interaction_loss(form(losses_on=name)) for name in ("embedding", "prediction"))
    assert embedding > 0
    assert prediction > 0
    assert embedding != prediction


def test_defect_02_both_triplets_can_be_chosen_with_any_margin():
    anchor, near, far = torch.tensor([[[3.0, 4.0]], [[3.0, 0.0]], [[0.0, 4.0]]])
    # Distances 4 and 3; cosines 0.6 and 0.8.
    torch.testing.assert_close(triplet_loss(anchor, near, far, 1.5, "euclidean"), torch.tensor([2.5]))
    torch.testing.assert_close(triplet_loss(anchor, near, far, 1.5, "cosine"), torch.tensor([1.7]))
    assert triplet_loss(anchor, far, near, 0.5, "euclidean") == 0
    losses = {
        interaction_loss(PrismConfig(triplet_distance=distance, margin=margin)).item()
        for distance in ("cosine", "euclidean")
        for margin in (0.5, 1.0)
    }
    assert len(losses) == 4


@pytest.mark.parametrize(
    "fusion", [PRISM, PrismConfig(sees="item"), SumFusionConfig()], ids=["prism", "prism of the item", "sum"]
)
@pytest.mark.parametrize(
    "backbone", [SASREC, GRU4RecConfig(), StosaConfig(heads=2)], ids=lambda config: config.kind
)
def test_defect_03_no_position_sees_its_target(fusion, backbone):
    """The state from which an item is predicted is the same whatever that item is."""
    model = build_model(fusion, backbone)
    batch = next(TrainingBatches(TRAINING, BatchPlan(50, len(TRAINING), seed=0)).epoch(1))
    histories = [history.tolist() for history in batch.items_P.split(batch.lengths_B.tolist())]
    before = model.encode(read(model, histories))
    place = 0
    for row, history in enumerate(histories):
        for t in range(len(history)):
            if t + 1 < len(history):
                assert batch.targets_P[place] == history[t + 1]
                changed = [*history[: t + 1], 1 + history[t + 1] % ITEMS, *history[t + 2 :]]
                after = model.encode(read(model, [*histories[:row], changed, *histories[row + 1 :]]))
                assert_equal(after.states[place], before.states[place], f"history {row} at {t}")
                assert_equal(after.weights[place], before.weights[place], f"history {row} at {t}")
            place += 1


@pytest.mark.parametrize("fusion", [PRISM, PublishedPrismConfig(hidden=6)], ids=lambda config: config.kind)
@pytest.mark.parametrize("longer", [5, 24], ids=["in one block", "in another block"])
def test_defect_04_padding_never_changes_an_output(fusion, longer):
    """In a batch with a longer history: padded in the same block, or next to another block."""
    model = build_model(fusion, SASREC)
    alone = read(model, [(5, 3, 7, 2)])
    padded = read(model, [(5, 3, 7, 2), (tuple(range(1, 13)) * 2)[:longer]])
    assert len(padded.packing.shapes) == (1 if longer == 5 else 2)
    assert_equal(model.fusion(padded).vectors_PD[:4], model.fusion(alone).vectors_PD, "fused")
    for one, other in zip(model.encode_last(padded), model.encode_last(alone), strict=True):
        assert_equal(one[:1], other, "encoded")


def test_defect_05_noise_has_the_norm_of_what_it_replaces_and_replaces_nothing_absent():
    torch.manual_seed(0)
    projected = torch.randn(50, 2, 8, dtype=torch.float64) * torch.logspace(-2, 2, 50)[:, None, None]
    present = torch.rand(50, 2) < 0.5
    noise = draw_noise(projected, present)
    torch.testing.assert_close(noise.norm(dim=-1), projected.norm(dim=-1))
    assert torch.equal(noise[~present], projected[~present])
    assert not torch.isclose(noise[present], projected[present]).all(-1).any()
    assert not torch.isclose(noise, draw_noise(projected, present))[present].all(-1).any()


def test_defect_06_dropout_in_the_experts_works():
    features = torch.randn(5, 2, WIDTH, dtype=torch.float64)
    experts = build_model(PrismConfig(dropout=0.5), SASREC).fusion.experts
    experts.train()
    torch.manual_seed(0)
    assert not torch.equal(experts(features), experts(features))
    experts.eval()
    assert torch.equal(experts(features), experts(features))
    without = build_model(PrismConfig(dropout=0.0), SASREC).fusion.experts.train()
    assert torch.equal(without(features), without(features))


def test_defect_07_the_mean_is_passed_from_layer_to_layer():
    """In the release, the mean depends on the last item only; no earlier item changes it."""
    model = build_model(SumFusionConfig(), StosaConfig(layers=2, heads=2))
    one, other = (model.encode_last(read(model, [(first, 5, 3)])).states for first in (2, 9))
    assert not torch.isclose(one[:, :WIDTH], other[:, :WIDTH]).any()
    layer = model.backbone.layers[1]
    with torch.no_grad():
        layer.mean_feed_forward.outer.bias[0] += 1
    changed = model.encode_last(read(model, [(2, 5, 3)])).states
    assert not torch.isclose(one[:, :WIDTH], changed[:, :WIDTH]).all()


@pytest.mark.parametrize("fusion", sorted(registered(FusionConfig), key=str), ids=lambda made: made.__name__)
@pytest.mark.parametrize(
    "backbone", sorted(registered(BackboneConfig), key=str), ids=lambda made: made.__name__
)
def test_defect_08_every_backbone_takes_every_fusion(fusion, backbone):
    model = build_model(fusion(), backbone(), dtype=torch.float32)
    items = model.item_set()
    scores = score_all(model, model.encode(read(model, HISTORIES, items)), items)
    assert scores.isfinite().all()


def test_defect_10_an_item_without_history_can_be_recommended_by_its_content():
    """Its id vector is zero, like the one of a new item."""
    scores = {}
    for candidates in ("id", "content"):
        model = build_model(PRISM, SASREC, candidates=candidates)
        with torch.no_grad():
            model.items.ids.weight[11] = 0
        items = model.item_set()
        users = model.encode_last(read(model, [(3, 5), (1, 2)], items))
        scores[candidates] = score_all(model, users, items)[:, 10]
    assert not scores["id"].any()
    assert scores["content"].all()


@pytest.mark.parametrize("backbone", [SASREC, StosaConfig(heads=2)], ids=lambda config: config.kind)
def test_defect_11_features_are_frozen_and_shared_by_streams(backbone):
    model = build_model(PRISM, backbone)
    tables = [name for name, buffer in model.named_buffers() if name.startswith("items.vectors_")]
    assert len(tables) == len(plant_features(ITEMS))
    assert not [name for name in model.state_dict() if "vectors_" in name]
    before = {name: model.get_buffer(name).clone() for name in tables}
    optimizer = make_optimizer(model, TrainConfig(learning_rate=0.1))
    model.encode(read(model, HISTORIES)).states.square().sum().backward()
    optimizer.step()
    assert all(torch.equal(model.get_buffer(name), table) for name, table in before.items())
    sizes = {tuple(parameter.shape) for parameter in model.parameters() if len(parameter) == ITEMS + 1}
    assert sizes == {(ITEMS + 1, model.backbone.streams * WIDTH)}


def test_defect_12_an_item_that_lacks_one_modality_keeps_the_other(model):
    names = model.fusion.component_names
    parts = model.item_set().parts
    assert names == ("unique:image", "unique:text", "redundancy", "synergy")
    # Item 1 has a picture, item 2 a text, item 3 both, item 4 neither.
    assert parts.present_IJ[1:5].tolist() == [[1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert torch.equal(parts.components_IJD.any(-1), parts.present_IJ)
    users = model.encode_last(read(model, [(1, 2, 3)]))
    every = torch.arange(1, 5)[None]
    adds = model.contributions(users, every, model.item_set())[0, :, 1:] != 0
    assert torch.equal(adds, parts.present_IJ[1:5])


def test_defect_13_every_option_is_read_and_an_unknown_one_is_an_error():
    losses = {}
    for option in ("unique", "redundancy", "synergy"):
        none = {"unique": 0.0, "redundancy": 0.0, "synergy": 0.0}
        losses[option] = interaction_loss(PrismConfig(hidden=6, lambdas=Lambdas(**{**none, option: 1.0})))
        twice = interaction_loss(PrismConfig(hidden=6, lambdas=Lambdas(**{**none, option: 0.25})))
        assert losses[option] > 0
        assert_equal(twice, losses[option] / 4, option)
    every = interaction_loss(PrismConfig(hidden=6, lambdas=Lambdas(unique=1, redundancy=1, synergy=1)))
    assert_equal(every, sum(losses.values()), "their sum")
    only_text = Lambdas(unique=0, uniques={"text": 1.0}, redundancy=0, synergy=0)
    assert 0 < interaction_loss(PrismConfig(hidden=6, lambdas=only_text)) < losses["unique"]
    for wrong in ({"lambda_unique": 1}, {"lambdas": {"synergie": 1}}, {"lambdas": {"unique": "much"}}):
        with pytest.raises(InputError, match="model.fusion"):
            RunConfig.parse({"model": {"fusion": {"kind": "prism", **wrong}}}, "config.yaml")


def test_defect_17_pairwise_divergence_agrees_with_rowwise_and_does_not_underflow():
    torch.manual_seed(0)
    a, b = (
        Gaussian(
            torch.randn(4, 300, dtype=torch.float64), torch.rand(4, 300, dtype=torch.float64) / 50 + 1e-3
        )
        for _ in range(2)
    )
    kl = gaussian_distance("kl")
    pairs = kl.pairwise(a, b)
    assert pairs.isfinite().all()
    torch.testing.assert_close(pairs.diagonal(), kl.rowwise(a, b), rtol=1e-10, atol=1e-10)
    normals = [torch.distributions.Normal(g.mean, g.covariance.sqrt()) for g in (a, b)]
    torch.testing.assert_close(kl.rowwise(a, b), torch.distributions.kl_divergence(*normals).sum(-1))


def test_defect_18_the_encoder_sees_id_and_fused_and_nothing_else(model, monkeypatch):
    seen = []
    monkeypatch.setattr(model.backbone, "forward", lambda inputs, lengths: seen.append(inputs) or inputs)
    history = read(model, [(3, 7, 11)])  # items with both modalities
    weights = model.encode(history).weights
    ids, components = (
        history.items.ids_IV[history.index_P],
        history.items.parts.components_IJD[history.index_P],
    )
    assert_equal(seen[0][0], ids + (weights[..., None] * components).sum(1), "the encoder's input")


@pytest.mark.parametrize("distance", ["wasserstein", "kl"])
def test_defect_20_one_distance_serves_training_and_ranking(distance):
    model = build_model(SumFusionConfig(), StosaConfig(heads=2, distance=distance), candidates="id")
    items = model.item_set()
    states = model.encode_last(read(model, [(3, 5)], items)).states
    d = gaussian_distance(distance)
    expected = -d.rowwise(Gaussian(*states[:, None].chunk(2, -1)), id_gaussian(items.ids_IV[None, 1:]))
    users = model.encode_last(read(model, [(3, 5)], items))
    assert_equal(score_all(model, users, items), expected, "the score is the negative distance")
    assert all(layer.attention.distance is model.backbone.distance for layer in model.backbone.layers)
