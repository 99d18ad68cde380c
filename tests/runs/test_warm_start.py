"""A run that begins with the weights of another one: ids by item id, everything else as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from prism_rec.data import Dataset
from prism_rec.data.principal_axes import PrincipalAxes
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.features.encoders.settings import HashedText
from prism_rec.runs.run import Run
from prism_rec.runs.train import train
from prism_rec.runs.warm_start import begin_from
from prism_rec.stages.embed import Embed, embed
from prism_rec.training import RunConfig

WIDTH = 4
IDS = "items.ids.weight"


class Notes(Events):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def shop(items: list[str], users: int, seed: int, width: int = WIDTH, text: Any = None) -> Dataset:
    random = np.random.default_rng(seed)
    log = pl.DataFrame(
        [
            {"user_id": f"u{user}", "item_id": item, "timestamp": time}
            for user in range(users)
            for time, item in enumerate(random.permutation(items)[:5])
        ]
    )
    vectors = np.random.default_rng(9).normal(size=(len(items), width))
    return Dataset.from_frame(log, features={"text": (vectors, items) if text is None else text})


def settings(epochs: int = 1, **model: Any) -> RunConfig:
    base = {"width": 8, "max_length": 5, "fusion": {"kind": "prism_experts", "hidden": 6}}
    return RunConfig.parse({"model": base | model, "train": {"epochs": epochs}})


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Run:
    data = shop([f"i{n}" for n in range(8)], 12, seed=0)
    return train(settings(), tmp_path_factory.mktemp("monday") / "run", data=data, device="cpu")


@pytest.fixture(scope="module")
def tuesday() -> Dataset:
    """Six of the items of Monday in another order, two new ones, and more users."""
    return shop(["new1", "i7", "i2", "i3", "new2", "i1", "i5", "i4"], 20, seed=1)


def test_ids_are_matched_by_item_and_everything_else_is_copied(monday: Run, tuesday: Dataset) -> None:
    torch.manual_seed(5)
    fresh = settings().model.build(tuesday.number_of_items, tuesday.features)
    first = {name: parameter.detach().clone() for name, parameter in fresh.named_parameters()}
    notes = Notes()
    begin_from(fresh, tuesday, settings().model, monday, notes)
    assert notes.lines == [f"begun from {monday.folder.path}: 6 items known, 2 new, 2 gone"]
    old = dict(monday.model.named_parameters())
    row_then = {item: row for row, item in enumerate(monday.dataset.items["item_id"], start=1)}
    for name, parameter in fresh.named_parameters():
        if name != IDS:
            assert torch.equal(parameter, old[name])
            continue
        assert not parameter[0].any()
        for row, item in enumerate(tuesday.items["item_id"], start=1):
            known = item in row_then
            assert torch.equal(parameter[row], old[IDS][row_then[item]] if known else first[IDS][row])


@pytest.mark.slow
def test_a_warm_run_starts_where_the_other_ended_and_says_so_in_its_folder(
    monday: Run, tuesday: Dataset, tmp_path: Path
) -> None:
    warm = train(settings(), tmp_path / "warm", data=tuesday, start=monday.folder.path, device="cpu")
    cold = train(settings(), tmp_path / "cold", data=tuesday, device="cpu")
    assert warm.folder.read_log()[0].loss != cold.folder.read_log()[0].loss
    assert "start.json" in warm.folder.read_manifest()["files"]
    again = train(settings(), tmp_path / "warm", data=tuesday, start=monday, device="cpu")
    assert torch.equal(again.model.items.ids.weight, warm.model.items.ids.weight)
    for other in (None, cold):
        with pytest.raises(InputError, match="begun from other weights"):
            train(settings(), tmp_path / "warm", data=tuesday, start=other, device="cpu")
    with pytest.raises(InputError, match="begun from other weights"):
        train(settings(), tmp_path / "cold", data=tuesday, start=monday, device="cpu")


class StoppedError(Exception):
    pass


def test_a_warm_run_that_was_stopped_ends_with_the_same_weights(
    monday: Run, tuesday: Dataset, tmp_path: Path
) -> None:
    def stop(records: object) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train(settings(2), tmp_path / "a", data=tuesday, start=monday, device="cpu", after_epoch=stop)
    stopped = train(settings(2), tmp_path / "a", data=tuesday, start=monday, device="cpu")
    whole = train(settings(2), tmp_path / "b", data=tuesday, start=monday, device="cpu")
    for one, other in zip(stopped.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_does_not_fit_is_refused_before_anything_is_written(
    monday: Run, tuesday: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"has another model: `model.width` is 8 there and 4 here"):
        train(settings(width=4), tmp_path / "run", data=tuesday, start=monday, device="cpu")
    wide = shop([f"i{n}" for n in range(8)], 12, seed=0, width=6)
    with pytest.raises(InputError, match="features of another kind or width"):
        train(settings(), tmp_path / "run", data=wide, start=monday, device="cpu")
    assert not (tmp_path / "run").exists()


def test_vectors_of_an_encoder_that_learned_again_are_refused_and_those_made_alike_are_not(
    tmp_path: Path,
) -> None:
    titles = {
        f"i{n}": f"{word} lamp" for n, word in enumerate(["red", "green", "blue", "old", "new", "tall"])
    }
    pl.DataFrame({"item_id": list(titles), "title": list(titles.values())}).write_csv(tmp_path / "1.csv")
    titles |= {"i6": "broken lamp", "i7": "red sofa"}
    pl.DataFrame({"item_id": list(titles), "title": list(titles.values())}).write_csv(tmp_path / "2.csv")
    embed(Embed(items=tmp_path / "1.csv", encoder=HashedText(width=4)), tmp_path / "text")
    first = train(
        settings(),
        tmp_path / "first",
        data=shop(list(titles)[:6], 12, 0, text=tmp_path / "text"),
        device="cpu",
    )
    embed(Embed(items=tmp_path / "2.csv", encoder=HashedText(width=4)), tmp_path / "again")
    with pytest.raises(InputError, match="vectors of another encoder for text"):
        train(
            settings(),
            tmp_path / "second",
            data=shop(list(titles), 12, 0, text=tmp_path / "again"),
            start=first,
        )
    summary = embed(Embed(items=tmp_path / "2.csv", like=tmp_path / "text"), tmp_path / "text")
    assert (summary.reused, summary.encoded) == (6, 2)
    data = shop(list(titles), 12, 0, text=tmp_path / "text")
    second = train(settings(), tmp_path / "second", data=data, start=first, device="cpu")
    before, after = (run.dataset.features["text"].vectors for run in (first, second))
    rows = [
        [run.dataset.items["item_id"].to_list().index(item) + 1 for item in list(titles)[:6]]
        for run in (first, second)
    ]
    np.testing.assert_array_equal(before[rows[0]], after[rows[1]])


def test_embed_like_another_folder_takes_no_settings_of_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave out `encoder` and `fields`"):
        Embed.parse({"items": tmp_path, "like": tmp_path, "encoder": "hashed-text"})


def test_what_a_fusion_found_in_the_catalogue_is_copied_too(tmp_path: Path, tuesday: Dataset) -> None:
    """Its weights belong to the directions that it found then; other items would give others."""
    data = shop([f"i{n}" for n in range(8)], 12, seed=0)
    config = settings(fusion={"kind": "prism"})
    then = train(config, tmp_path / "run", data=data, device="cpu")
    fresh = config.model.build(tuesday.number_of_items, tuesday.features)
    begin_from(fresh, tuesday, config.model, then, Notes())
    assert fresh.begin_fusion() is None
    assert torch.equal(
        fresh.fusion.get_buffer("separation.mean_0"), then.model.fusion.get_buffer("separation.mean_0")
    )
    assert then.model.fusion.get_buffer("separation.mean_0").any()


def test_vectors_with_other_principal_axes_are_refused(monday: Run, tuesday: Dataset, tmp_path: Path) -> None:
    turned = tuesday.with_axes(PrincipalAxes(whiten=True))
    with pytest.raises(InputError, match="has other principal axes for .*; prepare both without `axes`"):
        train(settings(), tmp_path / "next", data=turned, start=monday, device="cpu")
