"""The parts of `prism` hold what they are named for, by what they see."""

import pytest
import torch
from torch import Tensor

from prism_rec import RunConfig
from prism_rec.data.dataset import Dataset
from prism_rec.data.sources import Planted
from prism_rec.errors import SettingsError
from prism_rec.fusion.prism.prism import PrismConfig, PrismFusion
from prism_rec.fusion.prism.separation import find_shared
from prism_rec.fusion.reading import Features, ModalityShape, Words
from prism_rec.nn.sparse import SparseRows

ITEMS, WIDTH = 500, 12
UNIQUE_IMAGE, UNIQUE_TEXT, REDUNDANCY, SYNERGY = range(4)


def planted_features() -> Features:
    """Return pictures and texts that share a factor of four values, so three directions."""
    source = Planted(number_of_users=20, number_of_items=ITEMS, events_per_user=40, noise=0.1)
    tables = Dataset.from_log(source.read()).features
    present = [torch.from_numpy(table.present) for table in tables.values()]
    vectors = tuple(torch.from_numpy(table.vectors) for table in tables.values())
    return Features(vectors, torch.stack(present, 1), (None, None))


@pytest.fixture(scope="module")
def features() -> Features:
    return planted_features()


@pytest.fixture(scope="module")
def fusion(features: Features) -> PrismFusion:
    torch.manual_seed(0)
    shapes = [ModalityShape(vectors.shape[1]) for vectors in features.vectors]
    made = PrismConfig().build(dict(zip(("image", "text"), shapes, strict=True)), WIDTH)
    assert made.begin_training(features) == "image and text share 3 directions"
    return made


def components(fusion: PrismFusion, features: Features) -> Tensor:
    with torch.no_grad():
        return fusion.parts(features, torch.zeros(len(features.present_IM), WIDTH)).components_IJD


def of_another(features: Features, modality: int) -> Features:
    """Return the items with the picture or text of another item, drawn at random; row 0 stays padding."""
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(len(features.present_IM) - 1)])
    vectors = list(features.vectors)
    vectors[modality] = vectors[modality][order]
    return features._replace(vectors=tuple(vectors))


def test_a_unique_part_does_not_change_if_the_other_modality_does(fusion, features) -> None:
    whole, changed = components(fusion, features), components(fusion, of_another(features, modality=1))
    assert torch.equal(changed[:, UNIQUE_IMAGE], whole[:, UNIQUE_IMAGE])
    assert not torch.allclose(changed[:, UNIQUE_TEXT], whole[:, UNIQUE_TEXT])


def test_either_modality_is_enough_for_redundancy(fusion, features) -> None:
    """With the text absent, redundancy is nearly what it is with both: the picture says the same."""
    whole = components(fusion, features)[1:, REDUNDANCY]
    present = features.present_IM.clone()
    present[:, 1] = False
    absent = features._replace(
        vectors=(features.vectors[0], torch.zeros_like(features.vectors[1])), present_IM=present
    )
    alone = components(fusion, absent)[1:, REDUNDANCY]
    assert torch.cosine_similarity(whole, alone).min() > 0.95
    assert not components(fusion, absent)[:, [UNIQUE_TEXT, SYNERGY]].any()


def test_no_sum_of_linear_maps_is_out_of_reach(features) -> None:
    """What is split is not lost: with the right weights, the parts add up to the linear maps of `sum`."""
    torch.manual_seed(0)
    shapes = {name: ModalityShape(of.shape[1]) for name, of in zip("ab", features.vectors, strict=True)}
    made = PrismConfig().build(shapes, WIDTH)
    made.begin_training(features)
    means, loads = ([made.separation.get_buffer(f"{name}_{m}") for m in (0, 1)] for name in ("mean", "load"))
    expected_ID = torch.zeros(len(features.present_IM), WIDTH)
    with torch.no_grad():
        made.synergy.weight.zero_()
        made.redundancy.weight.zero_()
        for m, (of, vectors) in enumerate(zip(made.uniques, features.vectors, strict=True)):
            expected_ID += of((vectors - means[m]) * features.present_IM[:, [m]])
            made.differences[m] = WIDTH**0.5 * of(loads[m])
            made.redundancy.weight += made.differences[m].T
    assert loads[0].any()
    assert torch.allclose(components(made, features).sum(1), expected_ID, atol=1e-4)


def test_synergy_vanishes_in_the_mean_if_either_modality_is_of_another_item(fusion, features) -> None:
    whole = components(fusion, features)[1:, SYNERGY]
    for modality in (0, 1):
        draws = torch.stack(
            [components(fusion, of_another(features, modality))[1:, SYNERGY] for _ in range(300)]
        )
        assert draws.mean(0).norm() < 0.15 * whole.norm()


def test_unique_parts_tell_nothing_of_what_both_show(fusion, features) -> None:
    """The redundant numbers of one modality are not correlated with the unique part of either."""
    parts = components(fusion, features)[1:].double()
    parts = parts - parts.mean(0)
    for unique in (UNIQUE_IMAGE, UNIQUE_TEXT):
        shared = parts[:, REDUNDANCY].T @ parts[:, unique] / len(parts)
        scale = parts[:, REDUNDANCY].std() * parts[:, unique].std()
        assert shared.abs().max() < 0.1 * scale


def test_modalities_without_anything_in_common_share_nothing() -> None:
    torch.manual_seed(0)
    vectors = (torch.randn(400, 20), torch.randn(400, 30))
    for least in (0.0, 0.5):
        assert len(find_shared(vectors, torch.ones(400, 2, dtype=torch.bool), 16, least).loads[0]) == 0


def test_three_modalities_share_what_all_show() -> None:
    torch.manual_seed(0)
    both = torch.randn(400, 2)
    vectors = tuple(torch.cat([both + 0.1 * torch.randn(400, 2), torch.randn(400, 3)], 1) for _ in range(3))
    found = find_shared(vectors, torch.ones(400, 3, dtype=torch.bool), 16, 0.5)
    numbers = [(v - mean) @ map_ for v, mean, map_ in zip(vectors, found.means, found.maps, strict=True)]
    assert [of_one.shape[1] for of_one in numbers] == [2, 2, 2]
    for other in numbers[1:]:
        assert torch.allclose((numbers[0] * other).mean(0), torch.ones(2, dtype=torch.double), atol=0.1)


def as_words(features: Features, modality: int, vectors_UD: Tensor) -> Features:
    """Return the items with one modality as words: each number of its vectors is the weight of one word."""
    table_IU = features.vectors[modality]
    items, words = table_IU.shape
    rows = SparseRows(
        torch.arange(items) * words, torch.arange(words).repeat(items), table_IU.flatten().contiguous()
    )
    vectors, given = list(features.vectors), list(features.words)
    vectors[modality], given[modality] = rows.times(vectors_UD), Words(rows, vectors_UD)
    return features._replace(vectors=tuple(vectors), words=tuple(given))


def test_words_are_split_as_vectors_are(fusion, features) -> None:
    """A trained vector per word is a linear map of the weights, so words hold what their weights as vectors would."""
    torch.manual_seed(0)
    size = features.vectors[1].shape[1]
    of_words = as_words(features, 1, vectors_UD=fusion.uniques[1].weight.detach().T.contiguous())
    shapes = {"image": ModalityShape(features.vectors[0].shape[1]), "text": ModalityShape(size, words=True)}
    made = PrismConfig().build(shapes, WIDTH)
    assert made.begin_training(of_words) == "image and text share 3 directions"
    made.uniques[0].load_state_dict(fusion.uniques[0].state_dict())
    for part in (UNIQUE_IMAGE, UNIQUE_TEXT):
        whole, other = components(fusion, features)[:, part], components(made, of_words)[:, part]
        assert torch.allclose(whole, other, atol=0.02 * float(whole.abs().max()))


@pytest.mark.parametrize(("items", "words"), [(5, 3), (4, 1), (1, 1)])
def test_a_modality_in_which_no_item_has_a_word_shares_nothing(items: int, words: int) -> None:
    nothing = SparseRows(
        torch.zeros(items, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros(0)
    )
    features = Features(
        (torch.randn(items, 4), torch.zeros(items, WIDTH)),
        torch.tensor([[True, False]] * items),
        (None, Words(nothing, torch.randn(words, WIDTH))),
    )
    shapes = {"image": ModalityShape(4), "text": ModalityShape(words, words=True)}
    made = PrismConfig().build(shapes, WIDTH)
    assert made.begin_training(features) == "image and text share 0 directions"
    assert components(made, features).isfinite().all()


def test_what_was_found_is_kept(fusion, features) -> None:
    """A second catalogue changes nothing: the weights belong to the directions of the first."""
    before = {name: buffer.clone() for name, buffer in fusion.named_buffers()}
    assert fusion.begin_training(of_another(features, 0)) is None
    assert all(torch.equal(before[name], buffer) for name, buffer in fusion.named_buffers())


def test_with_few_items_only_directions_of_much_variance_are_looked_at() -> None:
    """200 items tell nothing of 152 directions; what varies most is shared, and is found in spite of the others."""
    torch.manual_seed(0)
    both, present = 5 * torch.randn(200, 2), torch.ones(200, 2, dtype=torch.bool)
    vectors = tuple(torch.cat([both, 0.5 * torch.randn(200, 150)], 1) for _ in range(2))
    assert len(find_shared(vectors, present, 16, 0.25).loads[0]) == 2


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.5), ("gate_dropout", 0.1)])
def test_settings_of_a_gate_are_refused_without_one(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=f"does not read `{name}`; remove it or set `gate` personal"):
        RunConfig.parse({"model": {"fusion": {"kind": "prism", name: value}}})
    default = PrismConfig.model_fields[name].default
    assert PrismConfig.parse({name: default}) == PrismConfig()
    assert getattr(PrismConfig.parse({"gate": "personal", name: value}), name) == value


def test_one_modality_alone_is_reported_to_share_nothing() -> None:
    features = Features((torch.randn(40, 4),), torch.ones(40, 1, dtype=torch.bool), (None,))
    made = PrismConfig().build({"text": ModalityShape(4)}, WIDTH)
    assert made.begin_training(features) == "text is the only modality, so redundancy and synergy are empty"
    parts = components(made, features)
    assert parts[:, 0].any()
    assert not parts[:, 1:].any()
