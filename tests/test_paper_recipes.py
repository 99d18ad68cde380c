"""The recipes of the paper fit what they are given: every model of each is built, and each says what it promises."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from prism_rec.comparison.plan import Cell, plan
from prism_rec.comparison.recipe import Recipe, read_recipe
from prism_rec.comparison.report.sweeps import find_sweeps
from prism_rec.data import Dataset
from prism_rec.evaluation.questions import answer
from prism_rec.rank import Ranker
from prism_rec.runs.train import train
from prism_rec.testing import plant_features

PAPER = Path(__file__).parent.parent / "recipes" / "paper"
RECIPES = sorted(PAPER.glob("*.yaml"))
ITEMS = 20


def read(name: str, *overrides: str) -> tuple[Recipe, list[Cell]]:
    recipe = read_recipe(PAPER / name, [*overrides, "seeds=[0]"], ["films=data/films"])
    return recipe, plan(recipe, Path("out"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.slow
def test_every_model_is_built_of_pictures_and_texts(path: Path) -> None:
    recipe, cells = read(path.name)
    assert [cell.model for cell in cells] == list(recipe.models)
    for cell in cells:
        cell.config.objective.build()
        model = cell.config.model.build(ITEMS, plant_features(ITEMS))
        assert (model.items.modalities == {}) == (cell.config.model.fusion.kind == "id")
    assert f"recipes/paper/{path.name} --data NAME=FOLDER" in path.read_text(encoding="utf-8")
    assert f"`{path.name}`" in (PAPER / "README.md").read_text(encoding="utf-8")


def test_table_2_has_each_backbone_by_id_with_features_and_with_prism() -> None:
    _, cells = read("table-2.yaml")
    kinds = [
        (cell.config.model.backbone.kind, cell.config.objective.kind, cell.config.model.fusion.kind)
        for cell in cells
    ]
    encoders = [("sasrec", "cross_entropy"), ("stosa", "stosa"), ("sasrec", "indirec")]
    assert kinds == [(*encoder, fusion) for encoder in encoders for fusion in ("id", "sum", "prism")]


def test_figure_3_sweeps_each_lambda_over_the_papers_grid() -> None:
    _, cells = read("figure-3.yaml")
    arms = [
        SimpleNamespace(results=[SimpleNamespace(config=cell.config.model_dump(mode="json"))])
        for cell in cells
    ]
    swept = {sweep.setting.removeprefix("model.fusion.lambdas."): sweep.values for sweep in find_sweeps(arms)}
    names = ("uniques.image", "uniques.text", "redundancy", "synergy")
    assert swept == dict.fromkeys(names, (0.01, 0.05, 0.1, 0.2, 0.5, 1.0))


def test_the_controls_leave_no_gate_no_right_features_or_one_modality() -> None:
    _, cells = read("controls.yaml")
    configs = {cell.model: cell.config for cell in cells}
    assert {model: config.features for model, config in configs.items() if config.features != "given"} == {
        f"{fusion}-{control}": control for fusion in ("sum", "prism") for control in ("shuffled", "random")
    }
    for model in ("sum-image", "prism-text"):
        assert configs[model].model.modalities == (model.partition("-")[2],)
    gates = [configs[name].model.fusion.gate for name in ("prism", "prism-gate")]
    assert gates == ["none", "personal"]


def test_each_control_is_tested_against_the_model_that_it_controls() -> None:
    recipe, _ = read("controls.yaml")
    references = {row: recipe.reference_of(row) for row in recipe.rows}
    expected = {model: model.partition("-")[0] for model in recipe.models if "-" in model}
    plain = dict.fromkeys(("concat", "gate", "prism"), "sum") | {"id": None, "sum": "id", "popularity": "id"}
    assert references == expected | plain


@pytest.mark.parametrize("objective", ["stosa", "indirec"])
def test_the_controls_move_to_another_backbone_as_their_head_says(objective: str) -> None:
    backbone = ["base.model.backbone.kind=stosa"] * (objective == "stosa")
    _, cells = read("controls.yaml", *backbone, f"base.objective.kind={objective}")
    assert {cell.config.objective.kind for cell in cells} == {objective}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare random histories with absolute times, cut at two moments."""
    random = np.random.default_rng(0)
    log = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(40), 6),
            "item_id": np.concatenate([1 + random.choice(ITEMS, 6, replace=False) for _ in range(40)]),
            "timestamp": random.permutation(240),
        }
    )
    features = {
        name: (table.vectors[1:], list(range(1, ITEMS + 1))) for name, table in plant_features(ITEMS).items()
    }
    folder = tmp_path_factory.mktemp("films") / "data"
    Dataset.from_frame(log, features=features, split="temporal").save(folder)
    return folder


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("table-3.yaml", "without-unique-image"),
        ("controls.yaml", "sum-shuffled"),
        ("table-2.yaml", "stosa-prism"),
    ],
)
def test_a_model_is_trained_and_tested_under_a_temporal_split(
    films: Path, tmp_path: Path, name: str, model: str
) -> None:
    small = ["seeds=[0]", "base.train.epochs=1", "base.model.width=8", "base.train.validate_every=1"]
    cells = plan(read_recipe(PAPER / name, small, [f"films={films}"]), tmp_path)
    config = next(cell.config for cell in cells if cell.model == model)
    dataset = Dataset.load(films)
    assert dataset.rule.kind == "temporal"
    run = train(config, tmp_path / "run", data=dataset, device="cpu")
    questions = dataset.queries("test")
    assert len(answer(Ranker(run.model), questions).ranks) == len(questions.users) > 0
