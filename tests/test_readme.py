"""The README's Python runs as it stands, its scores add up, and it names all extras and fusions."""

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from prism_rec.model.config import ModelConfig
from prism_rec.plugins import kinds_of_field

ROOT = Path(__file__).parent.parent


def test_from_a_data_frame_to_recommendations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    short = code[1].replace('"epochs": 10', '"epochs": 1').replace("runs/readme", str(tmp_path / "run"))
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(short, "README.md", "exec"), names)
    shown = capsys.readouterr()
    assert "unique:image" in shown.out
    assert '"epoch": "1 of 1"' in shown.err
    frame = names["recommender"].recommend([["1", "34", "260"]], k=3)  # type: ignore[attr-defined]
    parts = frame.select(pl.sum_horizontal(names["recommender"].component_names))  # type: ignore[attr-defined]
    assert (parts.to_series() - frame["score"]).abs().max() < 1e-4


def test_it_names_all_extras_and_fusions() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    listed = text.partition("Extras:")[2].partition("\n\n")[0]
    assert [extra for extra in extras if f"`{extra}`" not in listed] == []
    fusions = kinds_of_field(ModelConfig.model_fields["fusion"])
    assert fusions
    row = text.partition("| fusion:")[2].partition("\n")[0]
    assert [kind for kind in fusions if f"`{kind}`" not in row] == []


def test_the_tree_has_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "src" / "prism_rec").glob("*/__init__.py")}
    tree = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("src/prism_rec/\n")[2].partition("```")[0]
    )
    assert packages == set(re.findall(r"^  (\w+)/ ", tree, re.MULTILINE))
