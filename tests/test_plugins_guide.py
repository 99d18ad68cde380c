"""The backbone, fusion and objective of docs/how-to/plugins.md keep their contracts, with the tests of the guide.

They also work from a package of their own.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from prism_rec.config import Config
from prism_rec.errors import InputError
from prism_rec.plugins import Kinds

GUIDE = Path(__file__).parent.parent / "docs" / "how-to" / "plugins.md"
MODULES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def run_guide(name: str, module: str, contract: str) -> None:
    """Make a module of the guide as if it were the file `name`, and its contract tests tests of this file."""
    with TemporaryDirectory() as folder:
        # A file, because descriptions of settings are read from the source.
        path = Path(folder) / f"{name.rpartition('.')[2]}.py"
        path.write_text(module, encoding="utf-8")
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = plug_in = module_from_spec(spec)
        try:
            spec.loader.exec_module(plug_in)
            exec(compile(contract, str(GUIDE), "exec"), globals())
        finally:
            del sys.modules[name]


sys.modules["my_package"] = ModuleType("my_package")
run_guide("my_package.decaying_mean", *MODULES[:2])
run_guide("my_package.scaled_sum", *MODULES[2:4])
run_guide("my_package.margin", *MODULES[4:6])
del sys.modules["my_package"]


def test_every_file_and_name_of_the_guide_is_there() -> None:
    root = GUIDE.parents[2]
    guide = GUIDE.read_text(encoding="utf-8")
    files = re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", guide)
    assert [name for name in files if not (root / name).exists() and "decaying_mean" not in name] == []
    assert {"TestDecayingMean", "TestScaledSum", "TestMargin"} <= globals().keys()


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what installs a package that adds settings; it gets the module's text and the name of a class in it."""

    def write(module: str, name: str, part: str = "backbones", kind: str = "decaying_mean") -> Path:
        facts = tmp_path / "my_package-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[prism_rec.{part}]\n{kind} = my_plug_in:{name}\n")
        (tmp_path / "my_plug_in.py").write_text(module, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "my_plug_in", raising=False)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("module", "built", "part", "kind", "options", "sizes"),
    [
        (MODULES[0], "DecayingMean", "backbones", "decaying_mean", {"keep": 0.5}, "(8, 4)"),
        (MODULES[2], "ScaledSum", "fusions", "scaled_sum", {"start": 0.5}, '({"text": ModalityShape(4)}, 8)'),
        (MODULES[4], "Margin", "objectives", "margin", {"negatives": 2, "margin": 0.5}, "()"),
    ],
    ids=["backbone", "fusion", "objective"],
)
@pytest.mark.slow
def test_a_plug_in_of_the_guide_works_from_a_package_of_its_own(
    install: Install, module: str, built: str, part: str, kind: str, options: dict[str, float], sizes: str
) -> None:
    folder = install(module, f"{built}Config", part, kind)
    text = GUIDE.read_text(encoding="utf-8")
    assert f'[project.entry-points."prism_rec.{part}"]\n{kind} = "my_package.{kind}:{built}Config"' in text
    chosen = {"kind": kind, **options}
    settings = {part[:-1]: chosen}
    settings, place = (settings, "") if part == "objectives" else ({"model": settings}, "model.")
    script = (
        "import prism_rec; from prism_rec.training import RunConfig;"
        f"chosen = RunConfig.parse({settings!r}).{place}{part[:-1]};"
        "from prism_rec.fusion.reading import ModalityShape;"
        f"print(type(chosen.build(*{sizes})).__name__, chosen.model_dump(mode='json'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {script}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{built} {chosen}\n"


class One(Config):
    kind: Literal["one"] = "one"


class Two(Config):
    kind: Literal["two"] = "two"


PLUG_IN = "from typing import Literal\nfrom prism_rec.config import Config\n"
SETTINGS = Annotated[One | Two, Kinds("prism_rec.backbones")]


def test_settings_of_a_package_stand_beside_ours_and_are_named_where_a_kind_is_not_known(
    install: Install,
) -> None:
    install(
        f'{PLUG_IN}class Three(Config):\n    kind: Literal["three"] = "three"\n    size: int = 1\n', "Three"
    )
    settings = TypeAdapter(SETTINGS)
    assert settings.validate_python({"kind": "two"}) == Two()
    assert settings.validate_python({"kind": "three", "size": 2}).model_dump() == {"kind": "three", "size": 2}
    with pytest.raises(ValidationError, match="'one', 'two', 'three'"):
        settings.validate_python({"kind": "four"})


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("import no_such_module\n", "cannot be imported .*no_such_module.*; fix or uninstall it"),
        ("", "cannot be imported .*Three"),
        ("Three = 3\n", "is not a Config with a kind"),
        (f"{PLUG_IN}class Three(Config):\n    size: int = 1\n", "is not a Config with a kind"),
        (
            f'{PLUG_IN}class Three(Config):\n    kind: Literal["one"] = "one"\n',
            "the kind 'one' exists",
        ),
    ],
    ids=["import", "name", "value", "no kind", "taken"],
)
def test_a_broken_plug_in_is_told_in_one_line(install: Install, module: str, message: str) -> None:
    install(module, "Three")
    with pytest.raises(InputError, match=f"^plug-in my_plug_in:Three of my-package:? {message}"):
        TypeAdapter(SETTINGS)
