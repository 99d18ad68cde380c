"""One shop, and one undisturbed run of each command, for all tests of a process."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from features.images.picture_server import PictureServer
from robustness.content import content_of
from robustness.machine import Disk, Forge
from robustness.shop import MADE, Command, commands, made_in, write_files


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    forge = Forge(tmp_path_factory.mktemp("forge"))
    yield forge
    forge.close()


@pytest.fixture
def disks(forge: Forge) -> None:
    """Skip a test that needs disks that fail."""
    if not forge.has_disks:
        pytest.skip("disks that fail need Linux and a C compiler")


@pytest.fixture(scope="session")
def pictures() -> Iterator[PictureServer]:
    server = PictureServer()
    server.delay = 0.005
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, forge: Forge, pictures: PictureServer) -> Path:
    """Return a folder with everything that the commands read and make."""
    shop = tmp_path_factory.mktemp("shop")
    write_files(shop, pictures.base)
    known = commands(shop)
    for name in MADE:
        ended = forge.run(shop, name, *made_in(shop, known[name]))
        assert ended.status == 0, (name, ended.err)
    return shop


@dataclass(frozen=True)
class Undisturbed:
    """What a command makes if nothing happens."""

    command: Command
    content: dict[str, Any]
    out: str
    changes: int
    """Number of changes to the disk."""
    seconds: float


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, forge: Forge, shop: Path
) -> Callable[[str], Undisturbed]:
    """Run a command undisturbed, the first time that it is asked for."""
    from time import perf_counter

    found: dict[str, Undisturbed] = {}

    def run(name: str) -> Undisturbed:
        if name not in found:
            folder = tmp_path_factory.mktemp("undisturbed")
            command = commands(shop)[name]
            command.begin(folder)
            disk, began = Disk(folder), perf_counter()
            ended = forge.run(folder, name, *command.words, disk=disk)
            assert ended.status == 0, ended.err
            seconds = perf_counter() - began
            found[name] = Undisturbed(command, content_of(folder), ended.out, disk.changes, seconds)
            shutil.rmtree(folder)
        return found[name]

    return run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return an empty folder in which a command works; other files of the test are next to it."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"
