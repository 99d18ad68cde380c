"""The README's Python runs as it stands, and its scores add up."""

import re
from pathlib import Path

import polars as pl
import pytest

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
    assert "unique:image" in capsys.readouterr().out
    frame = names["recommender"].recommend([["1", "34", "260"]], k=3)  # type: ignore[attr-defined]
    parts = frame.select(pl.sum_horizontal(names["recommender"].component_names))  # type: ignore[attr-defined]
    assert (parts.to_series() - frame["score"]).abs().max() < 1e-4
