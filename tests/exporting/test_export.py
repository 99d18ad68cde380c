"""An exported folder recommends what its run recommends, without PyTorch and without the run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from exporting.exports import export_all
from prism_rec import Export, Onnx, TorchProgram, export, load, load_exported
from prism_rec.errors import FolderError, InputError
from prism_rec.exporting import parity, reader
from prism_rec.inputs import split_ids

pytestmark = pytest.mark.slow  # importing the exporter of PyTorch and writing the folders takes ten seconds

BACKBONES = {
    "post-norm": {"kind": "sasrec", "form": "post_norm"},
    "empty-places": {"kind": "sasrec", "positions": "last", "empty_places": "positions"},
    "esasrec": {"kind": "esasrec"},
    "bsarec": {"kind": "bsarec", "positions": "last", "empty_places": "positions"},
    "bsarec-prefix": {"kind": "bsarec", "form": "prefix"},
    "gru4rec": {"kind": "gru4rec"},
    "hstu": {"kind": "hstu"},
    "stosa": {"kind": "stosa"},
    "stosa-kl": {"kind": "stosa", "distance": "kl"},
}
FUSIONS = ("id", "sum", "concat", "gate", "prism_nested", "prism_published", "prism")


FIXED = {"bsarec", "gru4rec"}
"""Models that read histories of one length only."""
SAME = {"histories": 200, "k": 10, "other_items": 0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    export_all(
        folder,
        "onnx",
        {"run": {"similar": {"neighbours": 3, "lags": 2}, "rules": {"lags": 3}, "id_events": 9}},
        users=True,
    )
    return folder


MODELS: dict[str, object] = {
    **{name: {"backbone": backbone, "max_length": 8} for name, backbone in BACKBONES.items()},
    **{fusion: {"fusion": {"kind": fusion}} for fusion in FUSIONS},
}


@pytest.mark.parametrize("kind", ["torch", "onnx"])
def test_every_backbone_and_fusion_can_be_exported(tmp_path: Path, kind: str) -> None:
    check_exports(tmp_path, kind, MODELS, FIXED)


def test_a_recurrent_layer_and_a_distance_can_be_exported(tmp_path: Path) -> None:
    check_exports(tmp_path, "torch", {name: MODELS[name] for name in ("gru4rec", "stosa")}, {"gru4rec"})


def check_exports(tmp_path: Path, kind: str, models: dict[str, object], fixed: set[str]) -> None:
    found = export_all(tmp_path, kind, models)
    assert {name: {key: one[key] for key in SAME} for name, one in found.items()} == dict.fromkeys(
        models, SAME
    )
    assert max(one["largest_difference"] for one in found.values()) <= 1e-5
    windows = {
        name: json.loads((tmp_path / f"{name}-{kind}" / "export.json").read_text())["window"]
        for name in models
    }
    assert {name for name, window in windows.items() if window} == fixed


def test_the_rows_are_those_of_the_run(runs: Path) -> None:
    live, exported = load(runs / "run", "cpu"), load_exported(runs / "run-onnx")
    choices = (
        {"users": ["u3", "nobody"], "k": 4},
        {"histories": {"a": ["item-01", "unknown", "item-05"], "b": []}, "k": 30, "seen": "keep"},
        {"histories": [["item-02"]], "candidates": ["item-03", "item-04", "x"], "exclude": ["item-04"]},
    )
    for choice in choices:
        expected = live.recommend(**choice)
        found = pl.DataFrame(exported.recommend(**choice), infer_schema_length=None)
        assert found.columns == expected.columns
        words = ["user_id", "item_id", "title", "rank", "basis"]
        assert found.select(words).equals(expected.select(words))
        numbers = [name for name in found.columns if name not in words]
        assert {"similar", "rules"} < set(numbers)
        np.testing.assert_allclose(
            found.select(numbers).cast(pl.Float64).to_numpy(), expected.select(numbers).to_numpy(), atol=1e-5
        )


def test_long_histories_are_cut_and_wrong_requests_refused(runs: Path) -> None:
    exported = load_exported(runs / "run-onnx")
    long = [f"item-{number:02}" for number in (*range(12), *range(12))]
    assert exported.recommend([long], k=3) == []  # all seen
    assert len(exported.recommend([long], k=3, seen="keep")) == 3
    for wrong in ({}, {"histories": [["item-01"]], "users": ["u1"]}, {"users": ["u1"], "k": 0}):
        with pytest.raises(ValueError, match="histories or users"):
            exported.recommend(**wrong)
    with pytest.raises(ValueError, match="none of the candidates"):
        exported.recommend([["item-01"]], candidates=["x"])


def test_nothing_but_numpy_and_onnxruntime_is_needed(runs: Path, tmp_path: Path) -> None:
    """Neither the package nor PyTorch: the folder has its own program."""
    blocked = "import sys; sys.modules |= dict.fromkeys(['torch', 'polars', 'prism_rec']); "
    script = (
        f"{blocked}import runpy; sys.argv = ['recommend.py', '--history', 'item-01,item-05', '--k', '2']; "
    )
    script += f"runpy.run_path({str(runs / 'run-onnx' / 'recommend.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expected = load(runs / "run", "cpu").recommend([["item-01", "item-05"]], k=2)
    assert [row["item_id"] for row in rows] == expected["item_id"].to_list()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--k", "0"], "a k of at least 1"),
        (["--folder", "nowhere"], "nowhere has no finished export"),
        (["--history", "item-01", "--user", "u1"], "not allowed with"),
    ],
)
def test_a_mistake_in_the_words_of_the_program_is_one_line(
    runs: Path,
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["recommend.py", "--folder", str(runs / "run-onnx"), *words])
    with pytest.raises(SystemExit) as ended:
        reader.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_the_program_answers_for_users(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["recommend.py", "--folder", str(runs / "run-onnx"), "--user", "u1", "--k", "2"]
    monkeypatch.setattr(sys, "argv", words)
    reader.main()
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = load(runs / "run", "cpu").recommend(users=["u1"], k=2)
    assert [row["item_id"] for row in rows] == expected["item_id"].to_list()


def test_ids_of_a_history_are_split_as_the_package_splits_them() -> None:
    for text in ("1,34,260", ' "a,b" , c', '"say ""hi""",x', "Ä 3,#4", ""):
        assert reader.split_ids(text) == split_ids(text)


def test_the_packages_reader_does_not_import_torch(runs: Path) -> None:
    script = (
        "import sys; import prism_rec; prism_rec.load_exported(sys.argv[1]).recommend(users=['u1'], k=1); "
        "assert not {'torch', 'polars', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(runs / "run-onnx")], check=True)


def test_the_run_is_the_same_however_its_path_is_written(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    written = (runs / "run-onnx/manifest.json").stat().st_mtime_ns
    export(Export.parse({"run": "run", "format": "onnx", "users": True}), Path("run-onnx"))
    assert (runs / "run-onnx/manifest.json").stat().st_mtime_ns == written


def test_without_users_the_folder_has_no_history(runs: Path, tmp_path: Path) -> None:
    export(
        Export(run=runs / "run", format=Onnx(), users=True), runs / "run-onnx"
    )  # done before: nothing is written
    with pytest.raises(FolderError, match="users"):
        export(Export(run=runs / "run", format=Onnx()), runs / "run-onnx")
    export_all(tmp_path, "torch", {"run": {}})
    assert not (tmp_path / "run-torch" / "users.json").exists()
    for path in (tmp_path / "run-torch").iterdir():
        assert b'"u3"' not in path.read_bytes()


def test_what_cannot_be_traced_is_refused_in_one_line(runs: Path, tmp_path: Path) -> None:
    """Here, functions with checked annotations; in a plug-in, Python that depends on values."""
    with pytest.raises(InputError, match="cannot be traced") as refused:
        export(Export(run=runs / "run", format=TorchProgram()), tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out" / "manifest.json").exists()
    with pytest.raises(ValueError, match="no finished export"):
        load_exported(tmp_path / "out")


def test_other_items_are_refused() -> None:
    with pytest.raises(InputError, match="3 other items"):
        parity.Parity(histories=200, k=10, other_items=3, largest_difference=0.0).require_equal()
    with pytest.raises(InputError, match="nan"):
        parity.Parity(histories=200, k=10, other_items=0, largest_difference=float("nan")).require_equal()


def test_a_small_difference_of_scores_is_found(runs: Path) -> None:
    live, exported = load(runs / "run", "cpu"), load_exported(runs / "run-onnx")
    scores = exported.scores
    exported.scores = lambda *arguments: scores(*arguments) + np.float32(1e-3)  # type: ignore[method-assign]
    found = parity.compare(exported, live)
    assert found.other_items == 0
    assert found.largest_difference == pytest.approx(1e-3, rel=0.1)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"users": "u3"}, "users: give a list, not str"),
        ({"histories": ["i1"]}, "history 0: give a list, not str"),
        ({"histories": "i1"}, "histories: give a list, not str"),
        ({"histories": [["i1"]], "candidates": "12"}, "candidates: give a list, not str"),
        ({"histories": [["i1"]], "exclude": {"i1"}}, "exclude: give a list, not set"),
        ({"histories": [["i1"]], "seen": "Keep"}, "give 'remove' or 'keep'"),
    ],
)
def test_the_reader_takes_no_text_for_a_list(runs: Path, asked: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        load_exported(runs / "run-onnx").recommend(**asked)


def test_the_reader_notices_a_changed_byte_of_every_file(runs: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(runs / "run-onnx", tmp_path / "changed")
    files = [path for path in sorted(folder.iterdir()) if path.name not in ("lock", "steps.json")]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for place in (0, len(content) // 3, len(content) - 1):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(ValueError, match=f"{path.name} was changed or removed"):
                load_exported(folder)
        path.write_bytes(content)
    load_exported(folder)
