"""What the guides say of the registry is what the registry says."""

import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from prism_rec.config import Config
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
    assert table in (DOCS / "models.md").read_text(encoding="utf-8"), (
        f"docs/models.md lacks this table:\n{table}"
    )


def tell_setting(name: str, annotation: Any, default: object) -> str:
    """Return a setting as YAML has it, with its default and, where they are few, its other choices."""
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    others = ", ".join(f"`{choice}`" for choice in choices if choice != default)
    text = default if isinstance(default, str) else json.dumps(default)
    return f"`{name}: {text}`" + (f" (or {others})" if others else "")


def make_settings_table(union: Any) -> str:
    """Return the settings of every kind with their defaults, as Markdown."""
    lines = [["kind", "settings and their defaults"], ["---", "---"]]
    by_kind = {str(member.model_fields["kind"].default): member for member in registered(union)}
    for kind, member in sorted(by_kind.items()):
        fields = [(name, field) for name, field in member.model_fields.items() if name != "kind"]
        told = (tell_setting(name, field.annotation, field.default) for name, field in fields)
        lines.append([f"`{kind}`", ", ".join(told) or "none"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@pytest.mark.parametrize("union", [BackboneConfig, ObjectiveConfig], ids=["backbones", "objectives"])
def test_the_tables_of_settings_and_defaults_are_the_config_classes(union: Any) -> None:
    table = make_settings_table(union)
    assert table in (DOCS / "models.md").read_text(encoding="utf-8"), (
        f"docs/models.md lacks this table:\n{table}"
    )


def test_every_plug_in_is_named_in_the_guide() -> None:
    guide = (DOCS / "models.md").read_text(encoding="utf-8")
    for union in (FusionConfig, BackboneConfig, ObjectiveConfig):
        assert [kind for kind in kinds(union) if f"`{kind}`" not in guide] == []


def test_every_setting_of_prism_is_named_in_the_guide() -> None:
    guide = (DOCS / "models.md").read_text(encoding="utf-8")
    prism: type[Config] = next(
        member for member in registered(FusionConfig) if member.model_fields["kind"].default == "prism"
    )
    assert [name for name in prism.model_fields if f"`{name}" not in guide and name != "kind"] == []
