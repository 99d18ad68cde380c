"""What is wrong in PRISM's released code, line by line of its list, and that it is not so here.

Most have fuller tests where the code is; here each stands under its number.
"""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import prism_rec
from prism_rec.backbones.stosa import StosaConfig, id_gaussian
from prism_rec.batches import NegativeSampler, TrainingBatches
from prism_rec.data.clean import k_core
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.data.sources import SOURCES
from prism_rec.data.sources.literals import parse_literal
from prism_rec.errors import InputError
from prism_rec.fusion.base import History
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.module import PrismConfig
from prism_rec.fusion.prism.views import draw_noise
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.nn.gaussian import Gaussian, gaussian_distance
from prism_rec.rank import Ranker

ITEMS, NEW, WIDTH = 10, 10, 8  # item 10 is new: it stands in no history
PICTURELESS, TEXTLESS = 4, 6
HISTORIES = Histories.from_lists([[1, 2, 3, 4, 5], [6, 7], [8, 1, 9, 6, 3, 2, 7], [4], [9, 5, 8]])
FUSIONS = ["id", "sum", "concat", "gate", "prism", "prism_published"]
BACKBONES = ["sasrec", "esasrec", "bsarec", "gru4rec", "stosa"]


def features() -> dict[str, FeatureTable]:
    rng = np.random.default_rng(0)
    tables = {}
    for name, width, lacking in (("image", 5, PICTURELESS), ("text", 7, TEXTLESS)):
        present = np.ones(ITEMS + 1, bool)
        present[[0, lacking]] = False
        vectors = rng.normal(size=(ITEMS + 1, width)) * present[:, None]
        tables[name] = FeatureTable(vectors.astype(np.float32), present)
    return tables


def built(fusion: dict[str, Any], tables: dict[str, FeatureTable] | None = None, **model: Any):
    """Return a model in float64 for inference, always with the same weights, drawn wide."""
    torch.manual_seed(0)
    settings = {"width": WIDTH, "max_length": 100, "fusion": fusion, **model}
    made = ModelConfig.parse(settings).build(ITEMS, tables or features()).double().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.4)
        made.items.ids.weight[0] = 0
    return made


def history_of(model: SequenceRecommender, rows: list[list[int]], padding: int = 0) -> History:
    width = max(map(len, rows)) + padding
    padded_BL = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return model.history(padded_BL, torch.tensor([len(row) for row in rows]), model.item_set())


def scores(model: SequenceRecommender, history: list[int]) -> Tensor:
    """Score the whole catalogue for one user: [N]."""
    users = model.encode_last(history_of(model, [history]))
    return model.score(users, torch.arange(1, ITEMS + 1)[None], model.item_set())[0]


def interaction_loss(**settings: Any) -> float:
    model = built({"kind": "prism"} | settings)
    torch.manual_seed(1)
    return model.interaction_loss(history_of(model, [[1, 2, 3], [6, 7]])).item()


def assert_same(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


def test_01_losses_are_had_on_embeddings_and_on_predictions():
    assert interaction_loss(losses_on="embedding") != interaction_loss(losses_on="prediction")


def test_02_triplets_are_had_with_both_distances_and_any_margin():
    settings = [("cosine", 0.5), ("cosine", 1.0), ("euclidean", 0.5), ("euclidean", 1.0)]
    losses = {interaction_loss(triplet_distance=distance, margin=margin) for distance, margin in settings}
    assert len(losses) == len(settings)


@pytest.mark.parametrize("fusion", [kind for kind in FUSIONS if kind != "prism_published"])
def test_03_no_position_sees_its_own_target(fusion):
    model = built({"kind": fusion})
    one, other = (model.encode(history_of(model, [[1, 2, 3, 5, last]])) for last in (7, 8))
    for before, after in zip(one, other, strict=True):
        assert_same(before[:4], after[:4])
    assert not torch.allclose(one.states[4], other.states[4])


def test_03_the_published_pooling_is_had_under_its_own_name_alone():
    model = built({"kind": "prism_published"})
    one, other = (model.encode(history_of(model, [[1, 2, 3, 5, last]])).states for last in (7, 8))
    assert not torch.allclose(one[0], other[0])
    assert not model.fusion.causal


@pytest.mark.parametrize("padding", [3, 90])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_04_padding_changes_nothing(fusion, padding):
    model = built({"kind": fusion})
    rows = [[1, 2, 3], [6]]
    plain, padded = history_of(model, rows), history_of(model, rows, padding)
    for one, other in zip(model.fusion(plain), model.fusion(padded), strict=True):
        assert_same(other[0, :3], one[0])
        assert_same(other[1, :1], one[1, :1])
    assert_same(model.encode(padded).states, model.encode(plain).states)


def test_05_noise_has_the_norm_of_what_it_replaces_and_is_never_drawn_for_what_is_absent():
    vectors = torch.randn(50, 2, 256) * torch.tensor([0.3, 7.0])[:, None] / 16
    present = torch.rand(50, 2) < 0.5
    noise = draw_noise(vectors, present)
    torch.testing.assert_close(noise.norm(dim=-1), vectors.norm(dim=-1))
    assert torch.equal(noise[~present], vectors[~present])
    assert not (noise[present] == vectors[present]).any()


def test_06_dropout_in_the_experts_works():
    experts = Experts(2, 4, WIDTH, 64, dropout=0.5)
    projected = torch.randn(3, 2, WIDTH)
    assert not torch.equal(experts(projected), experts(projected))
    experts.eval()
    assert torch.equal(experts(projected), experts(projected))


def test_07_the_mean_of_stosa_passes_from_layer_to_layer():
    torch.manual_seed(0)
    backbone = StosaConfig(layers=2, heads=2).build(WIDTH, 10).eval()
    inputs, lengths = torch.randn(1, 4, 2 * WIDTH), torch.tensor([4])
    before = backbone(inputs, lengths)[..., :WIDTH]
    with torch.no_grad():
        backbone.layers[0].mean_feed_forward.outer.bias.add_(torch.randn(WIDTH))
    assert not torch.allclose(backbone(inputs, lengths)[..., :WIDTH], before)


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_08_every_backbone_takes_every_fusion(backbone, fusion):
    model = built({"kind": fusion}, backbone={"kind": backbone})
    assert scores(model, [1, 2, 3]).isfinite().all()


def test_09_seen_items_and_padding_are_never_recommended():
    model = built({"kind": "id"}, backbone={"kind": "stosa"}).float()
    assert (scores(model, [1, 2, 3]) < 0).all()  # zero would be the best score of all
    top = Ranker(model, 100).rank(HISTORIES, np.full(len(HISTORIES), NEW), k=ITEMS).top
    for history, recommended in zip(HISTORIES, top, strict=True):
        unseen = ITEMS - len(set(history))
        assert set(recommended[:unseen]) == set(range(1, ITEMS + 1)) - set(history)
        assert not recommended[unseen:].any()


@pytest.mark.parametrize(("candidates", "has_content"), [("content", True), ("id", False)])
def test_10_an_item_without_history_is_scored_by_its_content(candidates, has_content):
    tables = features()
    before = scores(built({"kind": "prism"}, tables, candidates=candidates), [1, 2, 3])
    tables["image"].vectors[NEW] *= -1
    after = scores(built({"kind": "prism"}, tables, candidates=candidates), [1, 2, 3])
    assert (after != before).tolist() == [False] * (ITEMS - 1) + [has_content]


@pytest.mark.parametrize("backbone", ["sasrec", "stosa"])
def test_11_features_are_frozen_and_kept_once(backbone):
    model = built({"kind": "prism"}, backbone={"kind": backbone})
    tables = [name for name, weight in model.state_dict().items() if len(weight) == ITEMS + 1]
    assert tables == ["items.ids.weight"]
    assert [name for name, buffer in model.named_buffers() if len(buffer) == ITEMS + 1] == [
        "items.vectors_0",
        "items.vectors_1",
        "items.present_NM",
    ]


def test_12_an_item_that_lacks_one_modality_keeps_the_other():
    model = built({"kind": "prism"})
    parts = model.item_set().parts
    assert model.fusion.component_names == ("unique:image", "unique:text", "redundancy", "synergy")
    assert parts.components_IJD[PICTURELESS].any(-1).tolist() == [False, True, True, True]
    assert parts.components_IJD[TEXTLESS].any(-1).tolist() == [True, False, True, True]
    tables = features()
    tables["text"].vectors[PICTURELESS] *= -1
    changed = built({"kind": "prism"}, tables).item_set().parts
    assert not torch.allclose(changed.components_IJD[PICTURELESS], parts.components_IJD[PICTURELESS])


def test_13_every_lambda_is_read_and_an_unknown_one_is_refused():
    of = {name: {"unique": 0, "redundancy": 0, "synergy": 0} for name in ("unique", "redundancy", "synergy")}
    alone = [interaction_loss(lambdas=rest | {name: 0.25}) for name, rest in of.items()]
    assert all(loss > 0 for loss in alone)
    whole = interaction_loss(lambdas=dict.fromkeys(of, 0.25))
    assert whole == pytest.approx(sum(alone))
    assert interaction_loss(lambdas=dict.fromkeys(of, 0)) == 0
    with pytest.raises(InputError, match=r"lambdas\.lambda_uni"):
        PrismConfig.parse({"lambdas": {"lambda_uni": 0.1}})


def test_14_every_user_is_evaluated_and_inference_draws_no_random_number():
    model, targets = built({"kind": "prism"}).float(), np.array([6, 1, 4, 2, 1])
    before = torch.get_rng_state()
    in_twos = Ranker(model, 100, batch_size=2).rank(HISTORIES, targets).ranks
    together = Ranker(model, 100).rank(HISTORIES, targets).ranks
    assert torch.equal(torch.get_rng_state(), before)
    assert (in_twos > 0).all()
    assert in_twos.tolist() == together.tolist()


def test_15_negatives_are_items_and_batches_are_as_wide_as_their_longest_history():
    drawn = NegativeSampler(HISTORIES, ITEMS, torch.device("cpu")).draw(torch.zeros(500, dtype=torch.long), 4)
    assert set(drawn.unique().tolist()) == set(range(1, ITEMS + 1)) - set(HISTORIES[0])
    for batch in TrainingBatches(HISTORIES, max_length=100, batch_size=2, seed=0).epoch(1):
        assert batch.histories_BL.shape[1] == batch.lengths_B.max()


def test_16_yelp_is_prepared_and_nothing_is_ever_evaluated():
    assert "yelp" in SOURCES
    with pytest.raises(ValueError, match="literal"):
        parse_literal("__import__('os').getcwd()")
    for path in Path(prism_rec.__file__).parent.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert not names & {"eval", "exec", "compile"}, path.name


@pytest.mark.parametrize("others", [3, 5])
def test_17_kl_agrees_pairwise_and_row_by_row_where_a_determinant_underflows(others):
    def gaussians(count: int) -> Gaussian:
        shape = (count, 512)
        mean, covariance = torch.randn(shape).double(), 1e-3 * (0.5 + torch.rand(shape).double())
        return Gaussian(mean * 0.01, covariance)

    torch.manual_seed(0)
    a, b = gaussians(3), gaussians(others)
    assert a.covariance.prod(-1).eq(0).all()
    each, other = (
        torch.distributions.Normal(g.mean, g.covariance.sqrt())
        for g in (Gaussian(a.mean[:, None], a.covariance[:, None]), b)
    )
    expected = torch.distributions.kl_divergence(each, other).sum(-1)
    torch.testing.assert_close(gaussian_distance("kl").pairwise(a, b), expected)
    rowwise = gaussian_distance("kl").rowwise(a, Gaussian(b.mean[:3], b.covariance[:3]))
    torch.testing.assert_close(rowwise, expected[:, :3].diagonal())


@pytest.mark.parametrize("fusion", ["prism", "prism_published"])
def test_18_the_encoder_reads_id_and_fused_vector_and_nothing_else(fusion):
    model = built({"kind": fusion})
    read: list[Tensor] = []
    model.backbone.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0]))
    history = history_of(model, [[1, 2, 3]])
    model.encode(history)
    assert_same(read[0], model.items.ids.weight[[1, 2, 3]][None] + model.fusion(history).vectors_BLD)


def test_19_negatives_may_be_items_held_out():
    whole = Histories.from_lists([[1, 2, 3, 4]])
    training = whole.prefixes(np.array([0]), np.array([2]))
    drawn = NegativeSampler(training, 4, torch.device("cpu")).draw(torch.zeros(200, dtype=torch.long), 1)
    assert set(drawn.flatten().tolist()) == {3, 4}


@pytest.mark.parametrize("distance", ["wasserstein", "kl"])
def test_20_attention_training_and_ranking_take_one_distance(distance):
    model = built({"kind": "id"}, backbone={"kind": "stosa", "distance": distance})
    assert all(layer.attention.distance is model.backbone.distance for layer in model.backbone.layers)
    state = model.encode_last(history_of(model, [[1, 2, 3]])).states
    expected = -gaussian_distance(distance).rowwise(
        Gaussian(*state.chunk(2, -1)), id_gaussian(model.items.ids.weight[1:])
    )
    assert_same(scores(model, [1, 2, 3]), expected)


def test_21_what_is_masked_are_the_items_before_the_question():
    model = built({"kind": "id"}).float()
    user, validation, test = np.array([0]), np.array([3]), np.array([4])
    ranker, whole = Ranker(model, 100), Histories.from_lists([[1, 2, 3, 4, 5]])
    for end, target in ((validation, 4), (test, 5)):
        top = ranker.rank(whole.prefixes(user, end), np.array([target]), k=ITEMS).top[0]
        assert set(top) - {0} == set(range(1, ITEMS + 1)) - set(range(1, int(end[0]) + 1))


def test_22_the_core_is_a_fixed_point():
    users = np.array([0, 0, 1, 1, 2, 2, 3])
    items = np.array([0, 1, 0, 1, 1, 2, 2])
    # User 3 goes first, then item 2, and only then is user 2 left with a single event.
    assert k_core(users, items, 2).tolist() == [True] * 4 + [False] * 3
