"""Paths of finished steps between two drives of Windows."""

import os
from pathlib import Path

import pytest

from prism_rec.files import path_from


def test_a_path_on_another_drive_stays_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert path_from(tmp_path / "a", tmp_path / "b") == os.path.join("..", "b")

    def other_drive(path: Path, start: Path) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    assert path_from(tmp_path / "a", tmp_path / "b") == str(tmp_path / "b")
