from pathlib import Path

import pytest

from prism_rec.comparison.plan import plan, plan_searches
from prism_rec.comparison.recipe import read_recipe
from prism_rec.errors import InputError

RECIPE = """
base:
  model: {width: 16, fusion: {kind: prism_experts, hidden: 32}}
  train: {epochs: 7, patience: 2}
models:
  prism: {model: {fusion: {dropout: 0.1}}}
  id: {model: {fusion: {kind: id}}}
seeds: [3, 4]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


def test_cells_are_data_by_models_by_seeds(path: Path) -> None:
    recipe = read_recipe(path, data=["one=a/b", "c/two"])
    cells = plan(recipe, Path("out"))
    assert [cell.name for cell in cells] == [
        f"{data}/{model}/seed-{seed}"
        for data in ("one", "two")
        for model in ("prism", "id")
        for seed in (3, 4)
    ]
    assert cells[0].folder == Path("out/cells/one/prism/seed-3")
    assert [cell.dataset for cell in cells[::4]] == [Path("a/b"), Path("c/two")]
    assert [cell.config.train.seed for cell in cells[:2]] == [3, 4]
    assert recipe.reference == "prism"


def test_changes_are_merged_and_another_kind_replaces(path: Path) -> None:
    prism, _, id_alone, _ = plan(read_recipe(path, data=["x=x"]), Path("out"))
    assert (prism.config.model.width, prism.config.train.epochs) == (16, 7)
    fusion = prism.config.model.fusion.model_dump()
    assert (fusion["kind"], fusion["hidden"], fusion["dropout"]) == ("prism_experts", 32, 0.1)
    assert id_alone.config.model.fusion.kind == "id"  # and prism's `hidden` is no unknown key of it
    assert id_alone.config.model.width == 16


@pytest.mark.parametrize(
    "change",
    ["epochs=8", "max_targets=100", "patience=3", "validate_every=2", "metric=recall@10"],
    ids=lambda text: text,
)
def test_unequal_budgets_are_refused_unless_asked_for(path: Path, change: str) -> None:
    key, _, _ = change.partition("=")
    with pytest.raises(InputError, match=rf"prism and id differ in train.{key}.*unequal_budget"):
        plan(read_recipe(path, [f"models.id.train.{change}"], ["x=x"]), Path("out"))
    assert plan(read_recipe(path, [f"models.id.train.{change}", "unequal_budget=true"], ["x=x"]), Path("out"))


def test_models_that_rank_other_candidates_are_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"models differ in `seen`.*set base.seen"):
        plan(read_recipe(path, ["models.id.seen=keep", "unequal_budget=true"], ["x=x"]), Path("out"))
    assert {
        cell.config.seen for cell in plan(read_recipe(path, ["base.seen=keep"], ["x=x"]), Path("out"))
    } == {"keep"}


def test_what_is_no_part_of_the_budget_may_differ(path: Path) -> None:
    assert plan(read_recipe(path, ["models.id.train.learning_rate=0.1"], ["x=x"]), Path("out"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("base.train.seed=1", "seed.*list it under seeds"),
        ("base.train.epoch=1", "model prism: unknown key train.epoch"),
        ("epochs=1", "unknown key epochs"),
        ("reference=sum", "reference: 'sum' is not one of the models: prism, id"),
        ("against.id=sum", "against: 'sum' is not one of the models: prism, id"),
        ("against.sum=id", "against: 'sum' is not one of the models"),
        ("reference=popularity", "reference: 'popularity' is not one of the models"),
        ("seeds=[1, 1]", "has a seed twice"),
        ("metrics=[auc]", "metrics"),
        ("models=null", "models"),
    ],
)
def test_mistakes_are_told_in_one_line(path: Path, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan(read_recipe(path, [override], ["x=x"]), Path("out"))
    assert "\n" not in str(caught.value)


SPACE = "tune={trials: 4, space: {train.learning_rate: {kind: uniform, low: 0.1, high: 0.2}}}"


def test_a_section_tune_makes_a_search_for_each_model_and_data_set(path: Path) -> None:
    more = "models.prism.tune.space={model.fusion.hidden: {kind: int, low: 8, high: 16}}"
    recipe = read_recipe(path, [f"base.{SPACE}", more], ["one=a", "two=b"])
    searches = plan_searches(recipe, Path("out"))
    assert [search.name for search in searches] == [
        f"{data}/{model}/search" for data in ("one", "two") for model in ("prism", "id")
    ]
    assert [list(search.search.tune.space) for search in searches[:2]] == [
        ["train.learning_rate", "model.fusion.hidden"],
        ["train.learning_rate"],
    ]
    assert (searches[3].dataset, searches[3].search.tune.trials) == (Path("b"), 4)
    assert len({search.folder for search in searches}) == 4
    with pytest.raises(InputError, match="a finished tune folder is needed"):
        plan(recipe, Path("out"))
    assert plan_searches(read_recipe(path, data=["x=x"]), Path("out")) == []


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ([f"models.id.{SPACE}"], r"tune.trials \(None and 4\)"),
        ([f"base.{SPACE}", "models.id.tune.trials=5"], r"tune.trials \(4 and 5\)"),
        ([f"base.{SPACE}", "models.id.tune.prune_after=5"], r"tune.prune_after \(10 and 5\)"),
    ],
)
def test_unequal_searches_are_refused_unless_asked_for(path: Path, overrides: list[str], key: str) -> None:
    with pytest.raises(InputError, match=f"prism and id differ in {key}"):
        plan_searches(read_recipe(path, overrides, ["x=x"]), Path("out"))
    assert plan_searches(read_recipe(path, [*overrides, "unequal_budget=true"], ["x=x"]), Path("out"))


def test_popularity_is_a_row_and_no_cell(path: Path) -> None:
    recipe = read_recipe(path, ["popularity=true", "reference=popularity"], ["x=x"])
    assert recipe.rows == ("prism", "id", "popularity")
    assert {cell.model for cell in plan(recipe, Path("out"))} == {"prism", "id"}
    with pytest.raises(InputError, match="a model has the name of the row popularity"):
        read_recipe(path, ["popularity=true", "models.popularity.train.batch_size=8"], ["x=x"])


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "a|b", ""])
def test_a_name_that_is_no_plain_word_is_refused(path: Path, name: str) -> None:
    with pytest.raises(InputError):
        read_recipe(path, data=[f"{name}=data"])


def test_data_must_be_named(path: Path) -> None:
    with pytest.raises(InputError, match="`data` is missing"):
        read_recipe(path)


def test_the_quick_recipe_has_three_backbones_by_three_fusions_with_one_budget() -> None:
    recipe = read_recipe(Path(__file__).parents[2] / "recipes" / "quick.yaml", data=["x=x"])
    cells = plan(recipe, Path("out"))
    trained = {
        (cell.config.model.backbone.kind, cell.config.objective.kind, cell.config.model.fusion.kind)
        for cell in cells
    }
    pairs = [("sasrec", "cross_entropy"), ("stosa", "stosa"), ("sasrec", "indirec")]
    assert trained == {(*pair, fusion) for pair in pairs for fusion in ("id", "sum", "prism")}
    assert len(cells) == 18
    assert not recipe.unequal_budget
