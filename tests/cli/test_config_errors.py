"""A mistake in a config is told in one line that names the key as the file has it."""

from pathlib import Path

import pytest

from prism_rec.cli.app import run as run_command
from prism_rec.comparison.recipe import read_recipe
from prism_rec.config import name_origin, read_yaml
from prism_rec.errors import InputError
from prism_rec.training import RunConfig


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"model": {"widht": 3}}, "run.yaml: unknown key model.widht; did you mean width?"),
        (
            {"model": {"backbone": {"kind": "sasrec", "depth": 2}}},
            "unknown key model.backbone.depth; remove it",
        ),
        ({"model": {"backbone": {"kind": "sasrec", "layers": "x"}}}, "run.yaml: model.backbone.layers: "),
        (
            {"model": {"fusion": {"kind": "prism_experts", "lambdas": {"unique": -1}}}},
            "model.fusion.lambdas.unique: ",
        ),
        ({"train": {"epochs": 0}}, "run.yaml: train.epochs: "),
        ({"train": {"epochs": "many"}}, "train.epochs: should be a whole number (given: 'many')"),
        ({"train": {"metric": "ncdg@10"}}, "train.metric: choose one of recall@5, recall@10,"),
        ({"train": 3}, "run.yaml: train: "),
        (
            {"objective": {"kind": "hinge"}},
            "run.yaml: objective.kind: there is no 'hinge'; choose one of cross_entropy,",
        ),
    ],
)
def test_the_key_is_named(values: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        RunConfig.parse(values, "run.yaml")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overrides_reach_nested_keys_and_read_numbers(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {epochs: 3}\n")
    values = read_yaml(path, ["train.learning_rate=5e-4", "model.fusion.kind=sum"])
    assert values == {
        "train": {"epochs": 3, "learning_rate": 5e-4},
        "model": {"fusion": {"kind": "sum"}},
    }


def test_a_key_that_is_overridden_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {epochs: 3}\n")
    with pytest.raises(InputError, match=r"--set train\.epochs is given twice; give it once"):
        read_yaml(path, ["train.epochs=1", "train.patience=1", "train.epochs=2"])


def test_another_kind_clears_its_section(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("model: {backbone: {kind: sasrec, heads: 2}}\n")
    assert read_yaml(path, ["model.backbone.kind=sasrec"])["model"]["backbone"] == {
        "kind": "sasrec",
        "heads": 2,
    }
    overrides = ["model.backbone.kind=gru4rec", "model.backbone.hidden=8"]
    assert read_yaml(path, overrides)["model"]["backbone"] == {"kind": "gru4rec", "hidden": 8}


def test_settings_that_were_overridden_are_not_blamed_on_the_file_alone() -> None:
    origin = name_origin(Path("run.yaml"), ["train.epochs=0", "train.seed=1"])
    with pytest.raises(InputError, match=r"run.yaml --set train.epochs=0 --set train.seed=1: train.epochs: "):
        RunConfig.parse({"train": {"epochs": 0}}, origin)


@pytest.mark.parametrize("override", ["train.epochs", "train.epochs.more=1"])
def test_an_override_that_cannot_be_is_refused(tmp_path: Path, override: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {epochs: 3}\n")
    with pytest.raises(InputError, match="--set train.epochs"):
        read_yaml(path, [override])


@pytest.mark.parametrize(
    ("text", "told"), [("", "has no settings"), ("a: [", "not valid YAML"), ("- 1", "mapping")]
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_yaml(path)


def test_a_recipe_and_the_settings_of_a_run_are_told_apart(tmp_path: Path) -> None:
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run.yaml"
    recipe.write_text("models: {id: {}}\n")
    run.write_text("model: {width: 8}\n")
    with pytest.raises(InputError, match="run it with prism-rec train"):
        read_recipe(run)
    with pytest.raises(InputError, match=r"train: write it below base, as base\.train"):
        read_recipe(recipe, ["train.epochs=1"])
    words = ["train", str(recipe), "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    with pytest.raises(InputError, match="run it with prism-rec compare"):
        run_command(words)
