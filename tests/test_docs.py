"""The guides and the generated reference agree with the code."""

import pkgutil
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from prism_rec.errors import InputError
from prism_rec.model.config import BackboneConfig, FusionConfig
from prism_rec.objectives.config import ObjectiveConfig
from prism_rec.testing import plant_features
from prism_rec.testing.checks import registered
from prism_rec.training import RunConfig

DOCS = Path(__file__).parent.parent / "docs"
ITEMS = 4


def kinds(union: Any) -> list[str]:
    """Return the names of a registered plug-in type, in alphabetical order."""
    return sorted(str(member.model_fields["kind"].default) for member in registered(union))


def fits(fusion: str, backbone: str, objective: str) -> bool:
    model = {"fusion": {"kind": fusion}, "backbone": {"kind": backbone}}
    try:
        config = RunConfig.parse({"model": model, "objective": {"kind": objective}})
        config.model.build(ITEMS, plant_features(ITEMS))
    except InputError:
        return False
    return True


def tell_fusions(backbone: str, objective: str) -> str:
    fusions = kinds(FusionConfig)
    fitting = [fusion for fusion in fusions if fits(fusion, backbone, objective)]
    return "all" if fitting == fusions else ", ".join(fitting) or "-"


def make_table() -> str:
    """Return which fusions go with each backbone and objective, as Markdown."""
    backbones = kinds(BackboneConfig)
    lines = [["objective", *(f"`{backbone}`" for backbone in backbones)], ["---"] * (1 + len(backbones))]
    for objective in kinds(ObjectiveConfig):
        lines.append([f"`{objective}`", *(tell_fusions(backbone, objective) for backbone in backbones)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def test_the_table_of_what_goes_together_is_the_registrys() -> None:
    table = make_table()
    assert table in (DOCS / "explanation" / "model.md").read_text(encoding="utf-8"), (
        f"docs/explanation/model.md lacks this table:\n{table}"
    )


MAKER = runpy.run_path(str(DOCS / "make_reference.py"))


@pytest.mark.parametrize("name", MAKER["PAGES"])
def test_the_reference_is_current(name: str) -> None:
    text = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert text == MAKER["PAGES"][name](), "run make reference"


def test_every_plug_in_is_named_in_the_guide() -> None:
    guide = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    for union in (FusionConfig, BackboneConfig, ObjectiveConfig):
        assert [kind for kind in kinds(union) if f"`{kind}`" not in guide] == []


def test_every_object_of_the_python_reference_exists() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    names = re.findall(r"^::: (\S+)$", pages, re.MULTILINE)
    assert names
    for name in names:
        pkgutil.resolve_name(name)  # raises if it does not
