"""The stage `validate-explanations` on tiny data."""

import json
from pathlib import Path

import pytest

from command_line import prism_rec
from prism_rec import Planted, ValidateExplanations, validate_explanations
from prism_rec.cli.validate_explanations import _sentences
from prism_rec.data.sources.planted import FACTORS
from prism_rec.errors import FolderError
from prism_rec.stages.validate_explanations import Findings

SMALL = ("--number-of-users", "120", "--number-of-items", "80", "--events-per-user", "12")
TINY = Planted(number_of_users=120, number_of_items=80, events_per_user=12)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validation") / "out"
    settings = ValidateExplanations(
        planted=TINY, models=("prism-gate", "published"), epochs=1, deletion_users=5
    )
    validate_explanations(settings, folder)
    return folder


@pytest.mark.slow
def test_the_report_has_what_every_model_has(out: Path) -> None:
    found = Findings.model_validate_json((out / "report.json").read_text())
    separated, published = found.models
    assert set(found.observer) == set(found.information) == set(FACTORS)
    assert separated.shares is not None
    assert set(separated.shares) == set(separated.weights or ()) == set(FACTORS)
    assert separated.shares == {name: (separated.shares_with or {})[name][name] for name in FACTORS}
    assert separated.of_id == 0
    assert published.shares is None
    assert published.weights is not None
    assert separated.deletion is not None
    assert separated.deletion.users == 5


@pytest.mark.slow
def test_it_is_done_once_and_shown_again(out: Path) -> None:
    words = ("--out", out, *SMALL, "--models", "prism-gate", "--models", "published")
    words = (*words, "--epochs", "1", "--deletion-users", "5")
    before = (out / "manifest.json").stat().st_mtime_ns
    shown = prism_rec("validate-explanations", *map(str, words))
    assert shown.status == 0
    for text in (
        "true factors",
        "prism-gate",
        "published",
        "gate",
        "image only",
        "redundancy",
        "synergy",
    ):
        assert text in shown.out
    assert json.loads(prism_rec("validate-explanations", *map(str, words), "--json").out)["models"]
    assert (out / "manifest.json").stat().st_mtime_ns == before


def test_other_settings_are_refused(out: Path) -> None:
    with pytest.raises(FolderError, match="other settings"):
        validate_explanations(ValidateExplanations(planted=TINY, epochs=1), out)


def test_the_sentences_name_what_is_not_recovered(out: Path) -> None:
    found = Findings.model_validate_json((out / "report.json").read_text())
    model = found.models[0]
    good = model.model_copy(update={"shares": dict.fromkeys(FACTORS, 0.85), "faults": []})
    bad = good.model_copy(update={"shares": {**good.shares, "synergy": 0.5}, "faults": ["x is constant"]})
    plain = good.model_copy(update={"model": "sum", "shares": None, "weights": None})
    lines = _sentences(found.model_copy(update={"models": [good, bad, plain]}))
    assert "sum: has no parts with these names" in lines
    assert lines[0] == "prism-gate: trust the names of all parts on data like this"
    assert "prism-gate: do not trust the name of synergy" in lines
    assert "prism-gate: x is constant" in lines
