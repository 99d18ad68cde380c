"""Several processes train as one does: the same losses, the same figures, the same files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from prism_rec.processes import LOST
from prism_rec.runs.folder import RunFolder
from prism_rec.runs.train import train
from prism_rec.training.config import RunConfig
from runs.several import StoppedError, free_port, settings, start, stop_after, together, uneven

ENVIRONMENT = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
CASES: dict[str, dict[str, Any]] = {
    # The last of three batches has three users; with 12 per batch, the last has one user and is computed twice.
    "prism": settings(),
    "one left": settings(train={"epochs": 3, "batch_size": 12, "learning_rate": 0.01, "average": 0.5}),
    "indirec": settings(
        objective={"kind": "indirec", "contrastive_weight": 0, "diffusion_weight": 0, "intents": 2},
        train={"epochs": 2, "batch_size": 9},
    ),
    "negatives": settings(objective={"kind": "bce"}, train={"epochs": 2, "batch_size": 6}),
    "sparse ids": settings(
        objective={"kind": "bce"}, train={"epochs": 2, "batch_size": 6, "sparse_ids": True}
    ),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several") / "data"
    uneven().save(folder)
    return folder


@pytest.fixture(scope="module")
def several(data: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The folder in which two processes trained every case, and what each of them says of it.

    A run that one process began is continued, and another one is stopped after two epochs.
    """
    folder = data.parent
    with pytest.raises(StoppedError):
        one_process(settings(), folder / "resumed", data, stop=2)
    jobs: list[dict[str, Any]] = [
        {"settings": case, "out": str(folder / name)} for name, case in CASES.items()
    ]
    jobs += [
        {"settings": settings(), "out": str(folder / "resumed")},
        {"settings": settings(), "out": str(folder / "stopped"), "stop": 2},
    ]
    return folder, together(jobs, data)


def one_process(values: dict[str, Any], out: Path, data: Path, stop: int | None = None) -> None:
    config = RunConfig.parse(values, "here")
    train(config, out, data=data, device="cpu", after_epoch=stop_after(stop))


def assert_equal(ours: Path, theirs: Path) -> None:
    """Compare losses and figures; the first epoch has losses that are not zero."""
    ours_log, theirs_log = RunFolder(ours).read_log(), RunFolder(theirs).read_log()
    assert len(ours_log) == len(theirs_log)
    for one, other in zip(ours_log, theirs_log, strict=True):
        assert (one.loss, one.interaction_loss) == pytest.approx(
            (other.loss, other.interaction_loss), abs=2e-5
        )
        assert one.validation == pytest.approx(other.validation, abs=1e-9)
        assert min(one.loss, one.interaction_loss) > 0.1
    assert RunFolder(ours).read_manifest()["best_epoch"] == RunFolder(theirs).read_manifest()["best_epoch"]


@pytest.mark.parametrize("name", ["prism", "one left", "indirec"])
@pytest.mark.slow
def test_losses_and_figures_are_those_of_one_process(
    name: str, several: tuple[Path, Any], data: Path, tmp_path: Path
) -> None:
    one_process(CASES[name], tmp_path / "one", data)
    assert_equal(several[0] / name, tmp_path / "one")


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(
    several: tuple[Path, Any], data: Path, tmp_path: Path
) -> None:
    one_process(settings(), tmp_path / "one", data)
    assert_equal(several[0] / "resumed", tmp_path / "one")
    assert len(RunFolder(several[0] / "stopped").read_log()) == 2
    one_process(settings(), several[0] / "stopped", data)
    assert_equal(several[0] / "stopped", tmp_path / "one")


@pytest.mark.slow
def test_all_processes_have_the_same_weights_and_the_last_ones_hear_that_the_first_has_ended(
    several: tuple[Path, list[dict[str, Any]]],
) -> None:
    first, second = several[1]
    assert first.pop("error") == ""
    assert second.pop("error") == LOST
    assert set(first) == {*CASES, "resumed"}
    assert first == second


@pytest.mark.slow
def test_one_line_is_said_once_and_only_train_works_in_several_processes(data: Path, tmp_path: Path) -> None:
    """The second process cannot know that the first has said the same, if the first is not there."""
    words = ["-m", "prism_rec.cli", "evaluate", tmp_path]
    ended = [start(words, rank, 2, free_port()).communicate(timeout=60)[1] for rank in range(2)]
    assert ended[0].startswith("error: WORLD_SIZE is 2, and only train works in several processes")
    assert ended[0].count("\n") == 1
    assert ended[1] == ""


def torchrun(processes: int, config: Path, data: Path, out: Path) -> list[str]:
    """Return the command that trains in so many processes."""
    words = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        processes,
        "-m",
        "prism_rec.cli",
    ]
    words += ["train", config, "--data", data, "--out", out, "--device", "cpu"]
    return list(map(str, words))


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_with_one_two_and_one_processes(data: Path, tmp_path: Path) -> None:
    """The metrics of the end are those of a run by one process, up to the growth of rounding."""
    values = settings(train={"epochs": 60, "patience": 60, "batch_size": 5})
    (tmp_path / "run.yaml").write_text(json.dumps(values))
    log = RunFolder(tmp_path / "run").log
    reached = []
    for processes, epochs in ((1, 4), (2, 9)):
        command = torchrun(processes, tmp_path / "run.yaml", data, tmp_path / "run")
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=ENVIRONMENT) as process:
            while not log.exists() or len(log.read_text().splitlines()) < epochs:
                assert process.poll() is None
                time.sleep(0.01)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)
            process.communicate(timeout=60)
        reached.append(len(log.read_text().splitlines()))
    assert 4 <= reached[0] < reached[1] < 60  # each number of processes has made some epochs
    one_process(values, tmp_path / "run", data)
    one_process(values, tmp_path / "one", data)
    ours, theirs = (RunFolder(tmp_path / name).read_log() for name in ("run", "one"))
    assert len(ours) == len(theirs) == 60
    assert [record.loss for record in ours[:4]] == [record.loss for record in theirs[:4]]
    assert [record.loss for record in ours[:12]] == pytest.approx([one.loss for one in theirs[:12]], abs=1e-3)
    best = [max(record.validation["ndcg@10"] for record in records) for records in (ours, theirs)]
    assert best[0] == pytest.approx(best[1], abs=0.05)


@pytest.mark.slow
def test_torchrun_trains_and_a_killed_worker_ends_all_with_one_line(data: Path, tmp_path: Path) -> None:
    many = settings(train={"epochs": 150, "patience": 150, "batch_size": 5})
    (tmp_path / "run.yaml").write_text(json.dumps(many))
    command = torchrun(2, tmp_path / "run.yaml", data, tmp_path / "run")
    log = RunFolder(tmp_path / "run").log
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=ENVIRONMENT) as process:
        while not log.exists() or len(log.read_text().splitlines()) < 3:
            assert process.poll() is None
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert process.returncode != 0
    ours = [line for line in err.splitlines() if line.startswith(("error:", "interrupted:"))]
    assert len(ours) == 1, err
    reached = len(log.read_text().splitlines())
    assert 3 <= reached < 150
    assert "Warning" not in err
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("best epoch") == 1
    assert f"continuing from epoch {reached + 1}" in done.stderr.replace("\n", " ")
    assert len(log.read_text().splitlines()) == 150
