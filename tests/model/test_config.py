import numpy as np
import pytest
import torch

from prism_rec.data.feature_table import FeatureTable
from prism_rec.errors import InputError
from prism_rec.fusion.reading import ModalityShape
from prism_rec.model.config import ModelConfig
from prism_rec.testing import plant_features
from prism_rec.training.config import RunConfig


def parse(**settings: object) -> ModelConfig:
    return ModelConfig.parse({"width": 8, "max_length": 5, **settings}, "config.yaml")


def test_the_modalities_are_those_of_the_data_or_those_chosen_in_that_order():
    features = plant_features(9)
    model = parse(fusion={"kind": "prism_experts"}).build(9, features)
    assert model.items.modalities == {"image": ModalityShape(6), "text": ModalityShape(5)}
    chosen = parse(fusion={"kind": "prism_experts"}, modalities=["text"]).build(9, features)
    assert chosen.component_names == ("id", "unique:text", "redundancy", "synergy")
    turned = parse(fusion={"kind": "sum"}, modalities=["text", "image"]).build(9, features)
    assert turned.component_names == ("id", "text", "image")


def test_three_modalities_give_three_unique_components_one_redundancy_and_one_synergy():
    features = plant_features(9, {"image": 6, "text": 5, "sound": 4})
    model = parse(fusion={"kind": "prism_experts"}).build(9, features)
    uniques = ("unique:image", "unique:text", "unique:sound")
    assert model.component_names == ("id", *uniques, "redundancy", "synergy")


def test_by_id_alone_or_with_the_published_form_the_score_is_that_of_the_id():
    features = plant_features(9)
    assert parse(fusion={"kind": "prism_experts"}, candidates="id").build(9, features).component_names == (
        "id",
    )
    assert parse(fusion={"kind": "prism_published"}).build(9, features).component_names == ("id",)
    model = parse(fusion={"kind": "id"}).build(9, features)
    assert model.component_names == ("id",)
    assert model.items.modalities == {}


@pytest.mark.parametrize(
    ("settings", "features", "message"),
    [
        ({"fusion": {"kind": "prism_experts"}, "modalities": ["sound"]}, True, "no 'sound'.*image, text"),
        ({"fusion": {"kind": "id"}, "modalities": ["sound"]}, True, "no 'sound'.*image, text"),
        (
            {"fusion": {"kind": "prism_experts", "lambdas": {"uniques": {"imgae": 0.7}}}},
            True,
            "no modality 'imgae'",
        ),
        ({"fusion": {"kind": "sum"}}, False, "fusion sum needs features"),
        ({"backbone": {"kind": "sasrec", "heads": 3}}, True, "not a multiple of model.backbone.heads 3"),
    ],
    ids=["unknown modality", "unused unknown modality", "weight of nothing", "no features", "heads"],
)
def test_what_does_not_go_together_is_refused_in_one_line(settings, features, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(**settings).build(9, plant_features(9) if features else {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"widht": 8}, "widht"),
        ({"fusion": {"kind": "prism_experts", "lambdas": {"synergy": -1}}}, "fusion"),
        ({"fusion": {"kind": "prism_experts", "lambdas": {"uniques": {"image": -1}}}}, "fusion"),
        ({"fusion": {"kind": "magic"}}, "fusion"),
        ({"modalities": []}, "modalities"),
        ({"backbone": {"kind": "sasrec", "dropout": 1.0}}, "backbone"),
        ({"width": 0}, "width"),
        ({"candidates": "all"}, "candidates"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(settings, key):
    with pytest.raises(InputError, match=key) as caught:
        RunConfig.parse({"model": settings}, "config.yaml")
    assert str(caught.value).startswith("config.yaml: ")
    assert "\n" not in str(caught.value)


def test_padding_is_zero_and_the_first_weights_are_the_backbones():
    torch.manual_seed(0)
    original = parse(width=64, backbone={"kind": "sasrec"}).build(1000, {})
    post_norm = parse(width=64, backbone={"kind": "sasrec", "form": "post_norm"}).build(1000, {})
    for model, deviation in ((original, (2 / (1001 + 64)) ** 0.5), (post_norm, 0.02)):
        ids = model.items.ids.weight
        assert not ids[0].any()
        assert ids[1:].std().item() == pytest.approx(deviation, rel=0.02)
    assert not original.backbone.blocks[0].attention.query.bias.any()


def test_padding_stays_zero_while_training():
    model = parse(fusion={"kind": "sum"}).build(9, plant_features(9))
    reading = model.read(torch.tensor([1, 2, 3]), torch.tensor([2, 1]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model.encode(reading).states.square().sum().backward()
    optimizer.step()
    assert not model.items.ids.weight[0].any()


def test_weights_fit_other_features_of_the_same_width():
    """Features belong to the catalogue, not to what was learned: new items need no training."""
    model = parse(fusion={"kind": "prism_experts"}).build(9, plant_features(9))
    other = parse(fusion={"kind": "prism_experts"}).build(9, plant_features(9, seed=1))
    other.load_state_dict(model.state_dict())
    assert not torch.equal(other.items.get_buffer("vectors_0"), model.items.get_buffer("vectors_0"))


def test_a_catalogue_without_any_presence_is_encoded_too():
    absent = FeatureTable(np.zeros((10, 6), np.float32), np.zeros(10, bool))
    model = parse(fusion={"kind": "prism_experts"}).build(9, {"image": absent}).eval()
    reading = model.read(torch.tensor([1, 2]), torch.tensor([2]))
    scores = model.score(model.encode_last(reading), torch.tensor([[1, 9]]), reading.items)
    assert scores.isfinite().all()
