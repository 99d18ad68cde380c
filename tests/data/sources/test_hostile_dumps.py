import gzip
import resource
import time
from pathlib import Path

from tests.data.sources.hostile_dumps import write_dumps

from prism_rec.data import Dataset, NoSplit
from prism_rec.data.sources import Source
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


def test_bombs_take_neither_time_nor_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with gzip.open(tmp_path / "log.csv.gz", "wb", 9) as file:
        file.write(b"user_id,item_id,timestamp\n")
        for _ in range(400):
            file.write(b"u,i,1400000000\n" * 2**16)
    for kind, key in (("table", "interactions"), ("amazon-2018", "reviews")):
        began = time.process_time()
        assert "unpacks to more than 100 times its size" in read({"kind": kind, key: tmp_path / "log.csv.gz"})
        assert time.process_time() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # kB
