"""Commands made from settings classes: names, kinds, defaults, and errors in words of options."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from cyclopts import App, CycloptsError
from pydantic import Field

from prism_rec.cli.command import add_command, only
from prism_rec.cli.options import options_of
from prism_rec.config import Config
from prism_rec.errors import DataError, InputError, SettingsError
from prism_rec.plugins import Kinds


class Cleaning(Config):
    core: int = Field(1, ge=1)
    """Drop users and items with fewer events."""
    duplicates: Literal["first", "last"] = "first"
    """Which event to keep."""


class Table(Config):
    kind: Literal["table"] = "table"
    interactions: Path = Field(json_schema_extra={"flags": ["-i"]})
    """The log."""
    columns: dict[str, str] = Field(default_factory=dict)
    """NAME=VALUE: names of columns."""
    items: Path | None = None
    """A table of items."""


class Reviews(Config):
    kind: Literal["reviews"] = "reviews"
    reviews: Path
    """The reviews."""
    items: Path | None = None
    """The metadata."""


class Prepare(Config):
    source: Annotated[Table | Reviews, Kinds("prism_rec.test_sources")]
    """The log's format."""
    cleaning: Cleaning = Cleaning()
    names: tuple[str, ...] = ()
    """Names, repeated."""
    moments: tuple[float, float] | None = None
    """Two moments."""


class Options(Prepare):
    """Turn a log into a dataset."""

    out: Path
    """Folder to write."""
    resume: bool = True
    """Continue."""
    quiet: bool = False
    """Say nothing."""


Run = Callable[..., Options]


@pytest.fixture
def run() -> Run:
    given: list[Options] = []

    def prepare(options: Options) -> None:
        given.append(options)

    app = App(result_action="return_value")
    add_command(app, Options, prepare, positional=("out",))

    def call(*words: str) -> Options:
        app(["prepare", *words], exit_on_error=False, print_error=False)
        return given[-1]

    return call


def test_options_become_settings(run: Run) -> None:
    options = run(
        *("out", "--source", "table", "--interactions", "a", "--core", "3", "--names", "x", "--names", "y"),
        *("--columns", "user=u", "--columns", "item=i", "--moments", "1", "2", "--quiet", "--no-resume"),
    )
    assert options.source == Table(interactions=Path("a"), columns={"user": "u", "item": "i"})
    assert options.cleaning == Cleaning(core=3)
    assert (options.names, options.moments) == (("x", "y"), (1.0, 2.0))
    assert (options.out, options.quiet, options.resume) == (Path("out"), True, False)
    assert only(options, Prepare) == Prepare(
        source=options.source, cleaning=Cleaning(core=3), names=("x", "y"), moments=(1.0, 2.0)
    )


def test_what_is_not_given_has_its_default(run: Run) -> None:
    options = run("--out", "out", "--source", "reviews", "--reviews", "r")
    assert options == Options(source=Reviews(reviews=Path("r")), out=Path("out"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--source", "tabel"), "--source: there is no 'tabel'; choose one of table, reviews"),
        (("--source", "table"), "--interactions: missing; add it"),
        (
            ("--source", "reviews", "--interactions", "a"),
            "--interactions belongs to --source table, not to --source reviews; leave it out",
        ),
        (("--source", "table", "-i", "a", "--core", "0"), "--core: .*greater than or equal to 1 .given: 0."),
        (("--source", "table", "-i", "a", "--columns", "user"), "--columns user: write it as NAME=VALUE"),
        (
            ("--source", "table", "-i", "a", "--columns", "user=a", "--columns", "user=b"),
            "--columns: user is given twice",
        ),
    ],
)
def test_a_wrong_setting_is_named_as_an_option(run: Run, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        run("out", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--source", "table", "--source", "table"), "--source specified multiple times"),
        (("--source", "table", "--sorce", "table"), "--source"),
        (("--source", "table", "-i", "a", "--core", "many"), "--core"),
        (("--source", "table", "-i", "a", "--duplicates", "lst"), "last"),
    ],
)
def test_the_parser_refuses_what_it_cannot_read(run: Run, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CycloptsError, match=message):
        run("out", *words)


def test_errors_of_a_stage_name_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from prism_rec.cli.command import in_words_of_options

    options = options_of(Options)
    error = in_words_of_options(
        DataError("nothing is left; lower `cleaning.core` or `train.epochs`"), options
    )
    assert str(error) == "nothing is left; lower --core or `train.epochs`"
    assert type(error) is DataError
    assert (
        str(in_words_of_options(SettingsError("too low", key="cleaning.core"), options)) == "--core: too low"
    )
    assert str(in_words_of_options(SettingsError("no such", key="source"), options)) == "--source: no such"


def test_help_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(result_action="return_value")

    def prepare(options: Any) -> None:
        raise AssertionError

    add_command(app, Options, prepare)
    app(["prepare", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for option in options_of(Options):
        assert option.flags[0] in shown
        assert option.help.split(".")[0] in shown
    assert "Source table" in shown
    assert "Source reviews" in shown


def test_two_settings_with_one_option_are_an_error_of_the_program() -> None:
    class Two(Config):
        cleaning: Cleaning = Cleaning()
        core: int = 2
        """Another."""

    with pytest.raises(TypeError, match=r"--core would be cleaning\.core and core"):
        options_of(Two)
