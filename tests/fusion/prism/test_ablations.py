"""What is left of PRISM where an expert, the gate or the interaction losses are left out (the paper's table 3)."""

import pytest
import torch

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.errors import InputError
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import Lambdas
from prism_rec.fusion.prism.published import PublishedPrismConfig
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.model import SequenceRecommender
from prism_rec.model.config import ModelConfig
from prism_rec.testing import plant_features
from prism_rec.testing.checks import assert_equal, build_model, read

HISTORY = (3, 1, 4, 2, 7)  # both modalities, the picture, none, the text, both
LAMBDAS = {"uniques": {"image": 0.3, "text": 0.4}, "redundancy": 0.5, "synergy": 0.6}
ALL = ("unique:image", "unique:text", "redundancy", "synergy")


def model_of(config: ExpertPrismConfig | PublishedPrismConfig) -> SequenceRecommender:
    return build_model(config, SASRecConfig(form="post_norm", layers=1))


@pytest.mark.parametrize("left_out", ALL)
def test_an_expert_left_out_leaves_the_others_as_they_are(left_out: str) -> None:
    whole = model_of(ExpertPrismConfig(hidden=5, mask="zero", lambdas=Lambdas(**LAMBDAS)))
    part = model_of(ExpertPrismConfig(hidden=5, mask="zero", lambdas=Lambdas(**LAMBDAS), without=(left_out,)))
    kept = [place for place, name in enumerate(ALL) if name != left_out]
    assert part.component_names == ("id", *(ALL[place] for place in kept))
    with torch.no_grad():
        part.items.ids.weight.copy_(whole.items.ids.weight)
        part.fusion.projections.load_state_dict(whole.fusion.projections.state_dict())
        theirs = dict(whole.fusion.experts.named_parameters())
        for name, weight in part.fusion.experts.named_parameters():
            weight.copy_(theirs[name][:, kept] if name == "inner_weight_MJDH" else theirs[name][kept])
    every, rest = whole.item_set().parts, part.item_set().parts
    assert_equal(rest.components_IJD, every.components_IJD[:, kept], "components")
    assert torch.equal(rest.present_IJ, every.present_IJ[:, kept])
    one = model_of(ExpertPrismConfig(hidden=5, mask="zero", lambdas=Lambdas(**of_one(left_out))))
    one.load_state_dict(whole.state_dict())
    losses = [model.interaction_loss(read(model, [HISTORY])) for model in (whole, part, one)]
    assert_equal(losses[1], losses[0] - losses[2], "the whole loss less that of the one left out")


def of_one(name: str) -> dict[str, object]:
    """Return the weights of the losses with those of all others zero."""
    uniques = {m: weight * (name == f"unique:{m}") for m, weight in LAMBDAS["uniques"].items()}
    return {"uniques": uniques, **{key: LAMBDAS[key] * (name == key) for key in ("redundancy", "synergy")}}


def test_without_the_gate_the_components_are_added() -> None:
    model = model_of(ExpertPrismConfig(hidden=5, adaptive=False))
    assert not any(name.startswith("fusion.gate") for name, _ in model.named_parameters())
    components_IJD = model.item_set().parts.components_IJD
    fused = model.fusion(read(model, [HISTORY]))
    assert_equal(fused.vectors_PD, components_IJD[[*HISTORY]].sum(1), "their sum")
    assert not model.fusion.personal


@pytest.mark.parametrize("config", [ExpertPrismConfig, PublishedPrismConfig])
def test_no_view_is_made_where_no_loss_looks_at_it(config, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    of_shares = Experts.of_shares

    def watched(self, shares):
        made.append(self)
        return of_shares(self, shares)

    monkeypatch.setattr(Experts, "of_shares", watched)
    none = Lambdas(unique=0, redundancy=0, synergy=0)
    for lambdas, views in ((none, 0), (Lambdas(unique=0, redundancy=0), 2)):
        made.clear()
        model = model_of(config(hidden=5, lambdas=lambdas))
        loss = model.interaction_loss(read(model, [HISTORY]))
        assert len(made) == views
        assert bool(loss) == bool(views)


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (["unique:sound"], "no component 'unique:sound'; there are: unique:image, unique:text"),
        (list(ALL), "names every component"),
    ],
)
def test_what_cannot_be_left_out_is_refused_in_one_line(without: list[str], message: str) -> None:
    config = ModelConfig.parse({"width": 8, "fusion": {"kind": "prism_experts", "without": without}})
    with pytest.raises(InputError, match=message) as caught:
        config.build(9, plant_features(9))
    assert "\n" not in str(caught.value)
