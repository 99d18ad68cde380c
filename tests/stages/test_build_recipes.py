"""The recipes of `build` in the guide and in recipes/ are valid."""

from pathlib import Path
from textwrap import dedent

import pytest

from prism_rec.config import read_yaml
from prism_rec.features.encoders.settings import HashedText
from prism_rec.features.engines.ray import RayEngine
from prism_rec.stages.build import Build

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"


def test_the_recipe_of_the_guide_is_one(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/data.md").read_text()
    block = guide[guide.index("    prepare:  ") :].split("\n\n")[0]
    (tmp_path / "recipe.yaml").write_text(dedent(block))
    recipe = Build.parse(read_yaml(tmp_path / "recipe.yaml"), "guide")
    assert recipe.embed["image"].engine == RayEngine(workers=4, batch_size=256, device="cuda")
    assert recipe.embed["text"].encoder == HashedText()
    assert recipe.embed["text"].modality == "text"


@pytest.mark.parametrize("name", ["home", "beauty", "sports", "yelp"])
def test_the_recipes_are_whole(name: str) -> None:
    recipe = Build.parse(read_yaml(RECIPES / f"build-{name}.yaml"), name)
    assert recipe.prepare.cleaning.core == 5
    assert recipe.images is not None
    assert recipe.images.source_column == "images"
    assert list(recipe.embed) == ["image", "text"]
    assert recipe.embed["text"].fields[0] == "title"
