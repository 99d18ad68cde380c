"""The application as a whole: its help, and the one place where errors become one line and a status."""

import errno
import signal
import subprocess
import sys

import pytest

from command_line import prism_rec
from prism_rec.cli import app
from prism_rec.cli.app import COMMANDS
from prism_rec.cli.options import in_order
from prism_rec.testing.checks import undescribed

COMMAND_LIST = [command for commands in COMMANDS.values() for command in commands]


def test_help_lists_all_commands_in_groups_in_the_order_of_the_data_flow() -> None:
    for words in (["--help"], ["-h"], []):
        ran = prism_rec(*words)
        assert ran.status == 0
        names = [run.__name__.replace("_", "-") for _, run, _ in COMMAND_LIST]
        places = [ran.out.index(name) for title in COMMANDS for name in [f" {title} "]]
        assert places == sorted(places)
        starts = [ran.out.index(f"│ {name} ") for name in names]
        assert starts == sorted(starts)


@pytest.mark.parametrize("command", COMMAND_LIST, ids=lambda command: command[1].__name__)
def test_every_option_is_a_described_field_and_is_in_the_help(command: app.Command) -> None:
    settings, run, positional = command
    assert undescribed(settings) == []
    shown = prism_rec(run.__name__.replace("_", "-"), "--help").out
    flags = [flag for option in in_order(settings, positional) for flag in option.flags]
    assert len(flags) == len(set(flags))
    assert [flag for flag in flags if flag not in shown] == []
    assert all(option.help for option in in_order(settings, positional))


def test_the_same_options_mean_the_same_everywhere() -> None:
    texts: dict[str, set[str]] = {}
    for settings, _, positional in COMMAND_LIST:
        for option in in_order(settings, positional):
            if option.flags[0] in ("--set", "--device", "--threads", "--json", "--quiet", "--resume"):
                texts.setdefault(option.flags[0], set()).add(option.help)
    assert len(texts) == 6
    assert {flag: len(found) for flag, found in texts.items() if len(found) > 1} == {}
    talk = {run.__name__: {o.flags[0] for o in in_order(settings, p)} for settings, run, p in COMMAND_LIST}
    assert all("--quiet" in flags for flags in talk.values())
    assert {name for name, flags in talk.items() if "--json" not in flags} == {
        "serve",
        "explore",
    }  # no result


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trian"], "train"),
        (["train", "--dvice", "cpu"], "--device"),
        (["train"], "--config: missing; add it, as prism-rec train --help shows"),
        (["train", "a.yaml", "--data", "x", "--uot", "y"], "--uot"),
        (["ensemble", "one", "--out", "x"], "--runs: give at least 2"),
        (
            ["evaluate", "run", "item=sku", "user=c"],
            "no option takes 'item=sku', 'user=c'; to give an option several values, repeat it",
        ),
        (["evaluate", "nothing"], "nothing: no such folder"),
        (["evaluate", "nothing", "--part", "training"], "--part"),
        (["recommend", "nothing", "--k", "many"], "--k"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words: list[str], told: str) -> None:
    ran = prism_rec(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert told.lower() in ran.err.lower()


def test_an_interruption_is_one_line_and_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(words: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "run", interrupt)
    assert prism_rec("train") == (
        130,
        "",
        "interrupted: finished work is kept; run the same command again to continue\n",
    )


def test_a_request_to_end_is_one_line_and_status_143(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "run", lambda words: signal.raise_signal(signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    try:
        ran = prism_rec("train")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ran.status, ran.out) == (143, "")
    assert ran.err == "interrupted: finished work is kept; run the same command again to continue\n"


def test_a_full_disk_is_one_line_and_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(words: list[str]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out/a")

    monkeypatch.setattr(app, "run", refuse)
    ran = prism_rec("train")
    assert ran.status == 2
    assert ran.err.startswith("error: out/a: no space is left there; make room")


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    code = "from prism_rec.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "train", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from prism_rec.cli.app import run\n"
        "for words in (['--help'], ['train', '--help'], ['--version']): run(words)\n"
        "sys.exit('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL)
    assert found.returncode == 0
