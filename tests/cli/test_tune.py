import json
from pathlib import Path

import pytest
import yaml

from locks import held_elsewhere
from prism_rec.cli.app import run
from prism_rec.errors import InputError
from prism_rec.tuning.tune import BEST
from tuning.searching import VALUES


@pytest.mark.slow
def test_the_command_searches_and_says_what_it_found(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(VALUES, sort_keys=False))
    words = ["tune", str(tmp_path / "search.yaml"), "--data", str(data), "--device", "cpu"]
    words += ["--set", "tune.trials=2", "--out"]
    with (
        held_elsewhere(tmp_path / "out"),
        pytest.raises(InputError, match="another process works in"),
    ):
        run([*words, str(tmp_path / "out")])
    run([*words, str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert "best of 2: trial" in out
    assert f"prism-rec train {tmp_path / 'out' / BEST}" in out
    assert "trial 1: ndcg@10" in err
    with pytest.raises(InputError, match="is the input"):
        run([*words, str(data)])
    assert not (data / "lock").exists()
    run([*words, str(tmp_path / "out"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [trial["number"] for trial in found["trials"]] == [0, 1]
    assert found["settings"]["train"]["epochs"] == 3
