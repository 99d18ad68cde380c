import gzip
import time
from pathlib import Path

import pytest

from fuzz.changed_dumps import write_dumps
from prism_rec.data import Dataset, NoSplit
from prism_rec.data.sources import Source, decoding
from prism_rec.errors import InputError
from prism_rec.plugins import choose

NUMBER = 184


def read(settings: dict[str, object]) -> str:
    """Return the message of a refusal, empty if a dataset was made."""
    try:
        Dataset.from_log(choose(Source, settings, "source").read(), rule=NoSplit())
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_hostile_dumps_are_read_or_refused_in_one_line_and_quickly(tmp_path: Path) -> None:
    refused = 0
    for name, settings in write_dumps(tmp_path, NUMBER):
        began = time.process_time()
        message = read(settings)
        assert "\n" not in message, name
        assert len(message) < 1000, name
        assert time.process_time() - began < 5, name
        refused += bool(message)
    assert NUMBER // 10 < refused < NUMBER


@pytest.mark.parametrize(("kind", "key"), [("table", "interactions"), ("amazon-2018", "reviews")])
def test_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
) -> None:
    monkeypatch.setattr(decoding, "MOST_UNPACKED", 2**20)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"user_id,item_id,timestamp\n" + b"u,i,1400000000\n" * 2**21, 1))
    assert "unpacks to more than 100 times its size" in read({"kind": kind, key: path})
