"""Titles, ids and file names with commands to the terminal: none of them reaches it, in any command."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from command_line import prism_rec
from prism_rec.cli.bars import Bars
from prism_rec.cli.terminal import SafeConsole, print_json, printable
from prism_rec.events import JsonLines

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mfree\x9b5m\x08\x7f\u202eabc"
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def test_printable_texts_stay_and_controls_go() -> None:
    assert printable("Amélie\t日本 [bold] :smile:\n") == "Amélie\t日本 [bold] :smile:\n"
    assert not CONTROLS.search(printable(HOSTILE + "\r\x85\ud800"))


def test_tables_and_lines_of_the_console_have_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=f"{HOSTILE} [/x]")
    table.add_column(HOSTILE)
    table.add_row(Text(HOSTILE))
    console = SafeConsole()
    console.print(table)
    console.print(f"[/x] :smile: {HOSTILE}", highlight=False)
    said = capsys.readouterr().out
    assert not CONTROLS.search(said)
    assert said.count("free") == 4
    assert "[/x] :smile:" in said


def test_bars_and_events_have_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    for events in (Bars(), JsonLines(stream)):
        events.begin(HOSTILE, 2)
        events.advance(HOSTILE, 1, {HOSTILE: HOSTILE})
        events.note(HOSTILE)
        events.end(HOSTILE)
        if isinstance(events, Bars):
            events.progress.stop()
    assert not CONTROLS.search(capsys.readouterr().err)
    assert not CONTROLS.search(stream.getvalue())
    assert json.loads(stream.getvalue().splitlines()[0])["task"] == HOSTILE


def test_json_has_no_controls_and_loads_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({HOSTILE: [HOSTILE, "é"]})
    said = capsys.readouterr().out
    assert json.loads(said) == {HOSTILE: [HOSTILE, "é"]}
    assert not CONTROLS.search(said)
    assert "é" in said


@pytest.mark.slow
def test_no_command_lets_data_command_the_terminal(tmp_path: Path) -> None:
    log, items, config = tmp_path / "log.csv", tmp_path / "items.csv", tmp_path / "t.yaml"
    ids = [f"i{number}\x1b[31m" for number in range(8)]
    rows = [f"u{user}\x1b[2J,{ids[(user + time) % 8]},{time}" for user in range(8) for time in range(5)]
    log.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    items.write_text("\n".join(["item_id,title", *(f'{item},"{HOSTILE} {item}"' for item in ids)]))
    config.write_text(
        "model: {width: 8, fusion: {kind: sum}, backbone: {kind: sasrec, layers: 1, heads: 1}}\n"
        "train: {epochs: 1}\n"
    )
    data, vectors, run = (tmp_path / f"{name}\x1b[1m" for name in ("data", "vectors", "run"))
    commands: list[tuple[object, ...]] = [
        ("embed", "--items", items, "--encoder", "hashed-text", "--out", vectors),
        (
            "prepare",
            "--source",
            "table",
            "--interactions",
            log,
            "--items",
            items,
            "--features",
            f"text={vectors}",
            "--out",
            data,
        ),
        ("describe", data),
        ("train", config, "--data", data, "--out", run, "--device", "cpu"),
        ("evaluate", run, "--device", "cpu"),
        ("recommend", run, "--history", ",".join(ids[:2]), "--k", 3, "--device", "cpu"),
        ("recommend", run, "--user", "u1\x1b[2J", "--json", "--device", "cpu"),
        ("explain", run, "--history", ids[1], "--item", ids[2], "--device", "cpu"),
        ("export-data", data, "--format", "recbole", "--out", tmp_path / "e\x1b[1m"),
    ]
    for words in commands:
        ran = prism_rec(*words)
        assert ran.status == 0, ran.err
        assert not CONTROLS.search(ran.out + ran.err), words
    shown = prism_rec(*commands[5]).out
    assert "free" in shown, "the title is shown, without its commands"
    for wrong in (
        ("explain", run, "--history", ids[1], "--item", HOSTILE),
        ("describe", HOSTILE),
        ("train", HOSTILE, "--data", data, "--out", run),
        (HOSTILE,),
    ):
        ran = prism_rec(*wrong)
        assert ran.status == 2
        assert not CONTROLS.search(ran.out + ran.err)
