"""YAML files that are damaged, odd or hostile."""

from copy import deepcopy
from functools import partial
from pathlib import Path

from fuzz.world import Case
from prism_rec.comparison.recipe import read_recipe
from prism_rec.config import read_yaml
from prism_rec.errors import InputError
from prism_rec.stages.build import Build
from prism_rec.training.config import RunConfig
from prism_rec.tuning.search import Search

_SCALARS = (
    *(
        "",
        "~",
        "5",
        "a",
        "'",
        '"',
        "0x",
        "1e999",
        "9" * 5000,
        "-.inf",
        ".nan",
        "2020-13-45",
        "2020-01-01",
        "0o99",
    ),
    *("1:30:00", "!!binary x", "!!int x", "!!float x", "!!timestamp x", "!!python/object:os.system {}"),
    *("!!python/name:os.system", "!!python/object/apply:os.getcwd []", "!custom {a: 1}", "!!set {a, b}"),
    *(
        "!!omap [a: 1]",
        "!!pairs [a: 1]",
        "\x00",
        "\x07",
        "\ufeff",
        "\x85",
        "\u2028",
        "\ud800",
        "%YAML 3.0",
        "%TAG ! x",
    ),
    *("...", "---", "--- a\n--- b", "!", "&", "*", "@", "`", "|", ">", "> 99", "# only a comment"),
)
_SHAPES = (
    *(
        "[]",
        "{}",
        "[1, 2]",
        "- a",
        "{",
        "[",
        "]",
        ":",
        "? a",
        "\t- a",
        "*a",
        "&a [*a]",
        "&a {b: *a}",
        "<<: *a",
    ),
    *("a: b: c", "a: 1\na: 2", "{a: 1, a: 2}", "? [a]\n: 1", "? {a: 1}\n: 1", "a: &x 1\nb: &x 2\nc: *x"),
    *(
        "<<: 5",
        "<<: [1, 2]",
        "<<: [{a: 1}, {a: 2}]",
        "1: 2",
        "~: 1",
        "true: 1",
        "2020-01-01: 1",
        "1.5: 1",
        "'': 1",
    ),
    *(
        "a: {b: 1\n",
        " a: 1\nb: 2",
        "a:\n\tb: 1",
        "a: 1 b: 2",
        "model: [*x]",
        "a" * 2000 + ": 1",
        '"\\ud800": 1',
    ),
    *("train: {<<: {epochs: 1}, epochs: 2}", "train: &a {epochs: 1}\nmodel: *a"),
)
_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
_LARGE = (
    *(
        "[" * 3000 + "]" * 3000,
        "{a: " * 3000 + "}" * 3000,
        "a: [" * 60,
        "- " * 3000,
        "x" * 1_000_000,
        "? " * 2000,
    ),
    *(
        "a: " + "'" * 190_001,
        "#" * 190_000,
        "\n" * 190_000,
        "&a " * 40_000,
        "!" * 100_000,
        "a: |\n" + " x\n" * 60_000,
    ),
    *(_LAUGHS, "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(5000))),
    "a: &a {x: 1}\n" + "b: {<<: [" + ", ".join(["*a"] * 20_000) + "]}",
    "\n".join(f"k{n}: 1" for n in range(99_999)),
    "[" + "1, " * 60_000 + "]",
    "{" + ", ".join(f"k{n}: 1" for n in range(15_000)) + "}",
)
_BYTES = (
    *(
        b"\xff\xfe",
        b"\x89PNG\r\n\x1a\n",
        b"PAR1" + bytes(50),
        b"\x1f\x8b\x08" + bytes(20),
        bytes(1000),
        b"\xc3",
    ),
    *(
        "train: {}".encode("utf-16"),
        "train: {}".encode("utf-32"),
        "# \xfc".encode("latin-1"),
        b"train:\r  seed: 1\r",
    ),
    *(b"\xef\xbb\xbftrain: {}", b"train:\r\n  seed: 1\r\n", b"a: \x1b[2J", b"a: \xed\xa0\x80"),
)
_KEYS = (
    *("train.epochs", "train.seed", "train.learning_rate", "train.metric", "train.batch_size", "model.width"),
    *(
        "model.fusion",
        "model.backbone.kind",
        "model.backbone",
        "model.fusion.kind",
        "objective.kind",
        "tune.trials",
    ),
    *(
        "compare.seeds",
        "compare.models",
        "compare.data",
        "prepare.source",
        "prepare.source.kind",
        "prepare.split",
    ),
    *(
        "prepare.cleaning.core",
        "prepare.features",
        "images.size",
        "embed.text",
        "train",
        "model",
        "tune",
        "compare",
    ),
)
_VALUES = (
    "x",
    "[]",
    "{}",
    "~",
    "-1",
    "1e400",
    "9" * 40,
    ".nan",
    "2020-01-01",
    "!!binary AA==",
    "[[1]]",
    "true",
)

_SHORT = 10_000
"""Bytes."""


def yaml_files() -> dict[str, bytes]:
    """Return contents of YAML files by name."""
    texts = [*_SCALARS, *_SHAPES, *_LARGE]
    texts += [_nested(key, value) for key in _KEYS for value in _VALUES]
    contents = [*(text.encode("utf-8", "surrogatepass") for text in texts), *_BYTES]
    return {f"{number} {body[:40]!r}": body for number, body in enumerate(dict.fromkeys(contents))}


def _nested(key: str, value: str) -> str:
    *parents, last = key.split(".")
    return "".join(f"{parent}: {{" for parent in parents) + f"{last}: {value}" + "}" * len(parents)


def cases(folder: Path) -> list[Case]:
    """Write all YAML files and return how each is read."""
    found = []
    for number, (name, body) in enumerate(yaml_files().items()):
        path = folder / f"{number}.yaml"
        path.write_bytes(body)
        found.append(Case(f"yaml {name}", partial(read_settings, path)))
    return found


def read_settings(path: Path) -> None:
    """Read a file as every kind of settings that is read from YAML.

    Raises:
        InputError: all of them refuse it; the first mistake, or one of several lines.
    """
    values = read_yaml(path)
    errors = []
    for settings in (RunConfig, Build, Search):
        try:
            settings.parse(deepcopy(values), str(path))
        except InputError as error:
            errors.append(error)
    if path.stat().st_size < _SHORT:  # reads the file again
        try:
            read_recipe(path, data=["x=nowhere"])
        except InputError as error:
            errors.append(error)
    several = [error for error in errors if "\n" in str(error)]
    if several or errors:
        raise [*several, *errors][0]
