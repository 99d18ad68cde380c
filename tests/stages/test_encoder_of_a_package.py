"""A package that is installed adds an encoder: by the command line, in a recipe and in Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from prism_rec.data.embedding_folder import load_embedding
from prism_rec.folders import require_folder

MODULE = '''
"""Counts letters."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from prism_rec.features.encoders.encoder import Encoded, Encoder, Modality, Placement, unit_rows
from prism_rec.features.encoders.settings import EncoderSettings


class LetterEncoder(Encoder):
    encodes: Modality = "text"

    def __init__(self, letters: str, weight: float) -> None:
        self.fingerprint = f"letters {letters} {weight}"
        self._letters, self._weight = letters, weight

    def encode(self, batch: Sequence[str]) -> Encoded:
        counts = [[text.lower().count(letter) for letter in self._letters] for text in batch]
        return Encoded(unit_rows(np.array(counts, np.float32) * self._weight))


class Letters(EncoderSettings):
    """Counts letters."""

    modalities: ClassVar[tuple[Modality, ...]] = ("text",)

    kind: Literal["letters"] = "letters"
    """Name of the encoder."""
    alphabet: str = "aeiou"
    """The letters that are counted."""
    weight: float = Field(1.0, gt=0)
    """What a count is multiplied by."""

    def build(self, modality: Modality, placement: Placement = Placement()) -> LetterEncoder:
        return LetterEncoder(self.alphabet, self.weight)
'''

CONTRACT = """
from letter_encoder import Letters

from prism_rec.testing import EncoderContract


class TestLetters(EncoderContract):
    config = Letters(alphabet="abcdefghijklmnopqrstuvwxyz ")
    other = Letters(alphabet="aeiou")
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with the package as an installer leaves it."""
    folder = tmp_path / "site-packages"
    facts = folder / "letter_encoder-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: letter-encoder\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[prism_rec.encoders]\nletters = letter_encoder:Letters\n")
    (folder / "letter_encoder.py").write_text(MODULE)
    return folder


@pytest.fixture
def items(tmp_path: Path) -> Path:
    frame = {"item_id": ["a", "b", "c"], "title": ["Eau", "iii", "xyz"]}
    pl.DataFrame(frame).write_csv(tmp_path / "items.csv")
    return tmp_path / "items.csv"


def run(package: Path, *command: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})


def prism_rec(package: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return run(package, "-c", "from prism_rec.cli.app import main; main()", *words)


@pytest.mark.slow
def test_the_command_line_has_the_kind_and_its_options(package: Path, items: Path, tmp_path: Path) -> None:
    words = ("embed", "--items", items, "--encoder", "letters", "--alphabet", "ei", "--out", tmp_path / "v")
    ran = prism_rec(package, *words)
    assert ran.returncode == 0, ran.stderr
    vectors, ids = load_embedding(tmp_path / "v")
    assert ids == ["a", "b"], "xyz has none of the letters"
    np.testing.assert_array_equal(vectors, [[1, 0], [0, 1]])
    manifest = require_folder(tmp_path / "v", "embed")
    assert manifest["config"]["encoder"] == {"kind": "letters", "alphabet": "ei", "weight": 1.0}
    shown = prism_rec(package, "embed", "--help").stdout
    assert "Encoder letters" in shown
    assert "The letters that are counted." in shown
    wrong = prism_rec(package, *words, "--weight", 0)
    assert wrong.stderr.startswith("error: --weight: ")
    assert "--width belongs to --encoder hashed-text" in prism_rec(package, *words, "--width", 8).stderr


@pytest.mark.slow
def test_python_has_the_kind(package: Path, items: Path, tmp_path: Path) -> None:
    script = f"""
import json
from pathlib import Path
from letter_encoder import Letters
from prism_rec.stages.build import Build
from prism_rec.stages.embed import Embed, embed

items, out = Path({str(items)!r}), Path({str(tmp_path)!r})
by_class = embed(Embed(items=items, encoder=Letters(alphabet="ei")), out / "class")
by_name = embed(Embed.parse({{"items": items, "encoder": "letters"}}), out / "name")
prepare = {{"source": {{"kind": "table", "interactions": "log.csv"}}}}
embeds = {{"text": {{"fields": ["title"], "encoder": {{"kind": "letters", "alphabet": "xyz"}}}}}}
recipe = Build.parse({{"prepare": prepare, "embed": embeds}})
print(json.dumps([by_class.width, by_name.width, recipe.embed["text"].encoder.alphabet]))
"""
    ran = run(package, "-c", script)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [2, 5, "xyz"]


@pytest.mark.slow
def test_the_package_runs_the_contract(package: Path, tmp_path: Path) -> None:
    (tmp_path / "test_letters.py").write_text(CONTRACT)
    ran = run(
        package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", tmp_path / "test_letters.py"
    )
    assert ran.returncode == 0, ran.stdout
    assert "9 passed" in ran.stdout
