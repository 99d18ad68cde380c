"""The Dockerfile, line by line against the package; an image cannot be built where the tests run."""

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from prism_rec.cli.command import settings_from
from prism_rec.cli.options import options_of
from prism_rec.cli.serve import ServeOptions
from prism_rec.serve.guard import OPEN

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions() -> list[tuple[str, str]]:
    """Return the name and the arguments of each instruction, lines that go on joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


def arguments(wanted: str) -> list[str]:
    return [rest for name, rest in instructions() if name == wanted]


def test_it_copies_what_the_package_is_made_of_and_nothing_else() -> None:
    copied = [source for rest in arguments("COPY") for source in shlex.split(rest)[:-1]]
    assert sorted(copied) == sorted(
        ["pyproject.toml", "constraints.txt", PROJECT["readme"], *PROJECT["license-files"], "src"]
    )
    assert all((ROOT / source).exists() for source in copied)
    assert not arguments("ADD")
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert ignore[0] == "*"  # everything is left out but what is named
    assert sorted(line[1:] for line in ignore if line.startswith("!")) == sorted(copied)
    assert any(fnmatch("src/prism_rec/__pycache__", line) for line in ignore[1:])


def test_the_python_and_the_extras_are_those_of_the_package() -> None:
    (image,) = arguments("FROM")
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)
    assert version
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]
    install, *_ = arguments("RUN")[0].split(" && ")
    extras = re.search(r"'\.\[([\w,]+)\]'", install)
    assert extras
    assert {"serve"} <= set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])
    assert "-c constraints.txt" in install


def test_the_server_runs_as_a_user_that_was_made_and_is_no_root() -> None:
    names = [name for name, _ in instructions()]
    (user,) = arguments("USER")
    assert user != "root"
    assert re.search(rf"useradd .*\b{user}$", arguments("RUN")[0])
    assert names.index("RUN") < names.index("USER") < names.index("ENTRYPOINT")


def test_the_command_is_understood_and_listens_where_the_image_says() -> None:
    program, command = json.loads(arguments("ENTRYPOINT")[0])
    assert PROJECT["scripts"][program] == "prism_rec.cli:main"
    assert command == "serve"
    run, *words = json.loads(arguments("CMD")[0])
    options = options_of(ServeOptions)
    by_flag = {flag: option.key for option in options for flag in option.flags}
    given = {by_flag[flag]: value for flag, value in zip(words[::2], words[1::2], strict=True)}
    settings = settings_from(ServeOptions, options, {"run": run, **given})
    assert isinstance(settings, ServeOptions)
    assert settings.host == "0.0.0.0"
    assert arguments("EXPOSE") == [str(settings.port)]
    comment = (ROOT / "Dockerfile").read_text()
    assert f":{run}:ro" in comment
    assert f":{settings.port}:{settings.port} " in comment


def test_the_health_check_asks_a_path_that_needs_no_token() -> None:
    (check,) = arguments("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")
    address = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", command[2])
    assert address
    assert address[1] == arguments("EXPOSE")[0]
    assert address[2] in OPEN
