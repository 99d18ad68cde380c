"""Checks that the contracts of all plug-ins share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import torch
from torch import Tensor, nn

from prism_rec.config import Config
from prism_rec.data.bag import Table
from prism_rec.data.histories import Histories
from prism_rec.fusion import ItemSet, Reading
from prism_rec.model import ItemTable, SequenceRecommender, UserStates
from prism_rec.model.sequence_recommender import Candidates
from prism_rec.testing.planted import plant_features
from prism_rec.training.checkpoint import load_tensors, save_tensors

ITEMS = 12
WIDTH = 8
# Histories of several lengths, with repeated items, and some of items that all lack a modality; 4, 8 and 12 have none.
HISTORIES = ((5, 3, 7, 3, 10, 2, 11, 6, 9), (4,), (1, 5), (2, 6, 10), (7, 8, 3, 12), (3, 3, 3, 1, 2, 7))
DTYPES = (torch.float32, torch.float64)


class SettingsContract:
    """The tests that everything with a `kind` shares.

    Attributes:
        config: settings of the kind.
    """

    config: Any

    def test_every_setting_is_described(self) -> None:
        """By a string below it, which help and docs show."""
        assert undescribed(type(self.config)) == []

    def test_settings_come_back(self) -> None:
        """As plain values and back."""
        config = self.config
        assert type(config).parse(config.model_dump(mode="json"), "written and read") == config


class PluginContract(SettingsContract):
    """The tests that fusions, backbones and objectives share.

    Attributes:
        config: settings that build the plug-in.
        without_gradient: ends of names of parameters that no loss can reach.
    """

    without_gradient: tuple[str, ...] = ()

    def model(self, **changes: Any) -> SequenceRecommender:
        """Return a tiny model with the plug-in, or one that it can train."""
        raise NotImplementedError

    def step(self, seed: int) -> nn.Module:
        """Return a module with the first weights of a seed, and gradients for all parameters that can have one."""
        raise NotImplementedError

    def test_every_parameter_gets_a_gradient(self) -> None:
        """In every element, except those that cannot have any."""
        assert without_gradient(self.step, self.without_gradient) == []

    def test_inference_is_deterministic(self) -> None:
        """Random numbers have no effect outside training."""
        model = self.model()

        def scores(seed: int) -> Tensor:
            torch.manual_seed(seed)
            reading = read(model, [history[-model.max_length :] for history in HISTORIES])
            return rank_all(model, model.encode(reading), reading.items)

        assert torch.equal(scores(1), scores(2))


def assert_equal(actual: Tensor, expected: Tensor, message: str) -> None:
    """Compare at 1e-5 in float32 and at 1e-10 in float64, relative to the expected value if that is above 1."""
    tolerance = 1e-5 if actual.dtype == torch.float32 else 1e-10
    torch.testing.assert_close(
        actual, expected, rtol=tolerance, atol=tolerance, msg=lambda text: f"{message}: {text}"
    )


def build_model(
    fusion: Any,
    backbone: Any,
    features: Mapping[str, Table] | None = None,
    candidates: Candidates = "content",
    max_length: int = 120,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> SequenceRecommender:
    """Make a tiny model from the settings of its parts, registered or not, in evaluation mode.

    Its weights are drawn wide, so that nothing hides in small numbers.
    """
    torch.manual_seed(seed)
    encoder = backbone.build(WIDTH, max_length)
    items = ItemTable(ITEMS, WIDTH, plant_features(ITEMS) if features is None else features, encoder.streams)
    model = SequenceRecommender(items, fusion.build(items.modalities, WIDTH), encoder, max_length, candidates)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4)
        items.ids.weight[0] = 0
    return model.to(dtype).eval()


def read(
    model: SequenceRecommender, histories: Sequence[Sequence[int]], items: ItemSet | None = None
) -> Reading:
    """Return histories as a model reads them; unless items are given, over the whole catalogue."""
    flat = Histories.from_lists(histories)
    items_P, lengths_B = torch.from_numpy(flat.items), torch.from_numpy(flat.lengths)
    return model.read(items_P, lengths_B, items=model.item_set() if items is None else items)


def score_all(model: SequenceRecommender, users: UserStates, items: ItemSet) -> Tensor:
    """Score every item for each of P states, item by item: [P, N]."""
    every_N = torch.arange(1, model.items.number_of_items + 1)
    return model.score(users, every_N.expand(len(users.states), -1), items)


def rank_all(model: SequenceRecommender, users: UserStates, items: ItemSet) -> Tensor:
    """Score every item for each of P states by products of queries and keys, as ranking does: [P, N]."""
    scores_PN = users.states.new_full((len(users.states), model.items.number_of_items), torch.nan)
    for group in model.keys(items):
        scores_PN[:, group.rows_I - 1] = model.queries(users, group) @ group.keys_IK.T
    return scores_PN


def assert_scores_add_up(fusion: Any, backbone: Any) -> None:
    """Check that contributions, scores and products of queries and keys agree for all patterns of presence."""
    for candidates in get_args(Candidates):
        for dtype in DTYPES:
            model = build_model(fusion, backbone, candidates=candidates, dtype=dtype)
            reading = read(model, HISTORIES)
            users, items = model.encode(reading), reading.items
            every_PN = torch.arange(1, ITEMS + 1).expand(len(users.states), -1)
            contributions_PNJ = model.contributions(users, every_PN, items)
            scores_PN = score_all(model, users, items)
            assert contributions_PNJ.shape[-1] == len(model.component_names)
            assert_equal(contributions_PNJ.sum(-1), scores_PN, f"contributions, candidates {candidates}")
            assert_equal(rank_all(model, users, items), scores_PN, f"queries @ keys, candidates {candidates}")


def save_and_load(module: nn.Module, other: nn.Module) -> None:
    """Copy one module's weights into another by way of a file."""
    with TemporaryDirectory() as folder:
        save_tensors(Path(folder) / "weights.safetensors", module.state_dict(), {})
        other.load_state_dict(load_tensors(Path(folder) / "weights.safetensors")[0])


def without_gradient(step: Callable[[int], nn.Module], exempt: Iterable[str] = ()) -> list[str]:
    """Return the parameters with an element that gets no gradient, whatever the first weights.

    A rectifier may be dead under some weights, so several are tried.

    Args:
        step: makes the module with the first weights of a seed, and its gradients.
        exempt: ends of names of parameters that cannot have any. The first row of an id table, padding, is exempt.
    """
    reached: dict[str, Tensor] = {}
    for seed in range(8):
        for name, parameter in step(seed).named_parameters():
            slope = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            assert slope.isfinite().all(), f"{name} has a gradient that is not finite"
            if name.endswith("items.ids.weight"):
                slope = slope[1:]
            reached[name] = reached.get(name, torch.zeros_like(slope, dtype=torch.bool)) | (slope != 0)
        missed = [name for name, where in reached.items() if not where.all()]
        missed = [name for name in missed if not name.endswith(tuple(exempt))]
        if not missed:
            break
    return missed


def undescribed(settings: type[Config]) -> list[str]:
    """Return the fields of a settings class that have no description."""
    return [name for name, field in settings.model_fields.items() if not field.description]


def registered(union: Any) -> set[type[Config]]:
    """Return the members of a registered plug-in type, such as `FusionConfig`."""
    members = get_args(get_args(union)[0])
    return set(members or get_args(union)[:1])


def covered(namespace: Mapping[str, Any], contract: type) -> set[type[Config]]:
    """Return the settings classes that a test file's subclasses of a contract name."""
    classes = [
        value for value in namespace.values() if isinstance(value, type) and issubclass(value, contract)
    ]
    return {type(found.config) for found in classes if hasattr(found, "config")}


def assert_every_one_has_a_contract_test(union: Any, contract: type, namespace: Mapping[str, Any]) -> None:
    """Check that the test file with these names has a subclass of the contract for each registered kind, and no other.

    Args:
        union: a registered plug-in type, such as `FusionConfig`.
        contract: its contract, such as `FusionContract`.
        namespace: the test file's `globals()`.
    """
    known, tested = registered(union), covered(namespace, contract)
    without = ", ".join(sorted(config.__name__ for config in known - tested))
    assert not without, f"{without}: add a subclass of {contract.__name__} to this file, with config = ..."
    unknown = ", ".join(sorted(config.__name__ for config in tested - known))
    assert not unknown, (
        f"{unknown}: tested, but registered nowhere; docs/how-to/plugins.md says how to register a kind"
    )
