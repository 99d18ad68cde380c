"""The contract of a source."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import polars as pl

from prism_rec.data import Dataset, RawLog
from prism_rec.data.raw_log import TimeKind
from prism_rec.errors import InputError
from prism_rec.testing.checks import SettingsContract


class SourceContract(SettingsContract):
    """Tests of one source: subclass it in a test file, name the subclass `Test...`, set `config` and write `write`.

    Every test runs in a new folder, in which `write` has made the files.

    Attributes:
        config: settings that read the files, with paths relative to the folder.
    """

    def write(self) -> None:
        """Write the files of a small log into the working folder: three or more events per user."""
        raise NotImplementedError

    def read(self) -> RawLog:
        """Return the log."""
        log: RawLog = self.config.read()
        return log

    def test_events_have_ids_and_times(self) -> None:
        """Ids are text and times are numbers; none is missing. A rating is a decimal number or missing."""
        with self._folder():
            events = self.read().events
        assert len(events) > 0
        assert events.columns[:3] == ["user_id", "item_id", "timestamp"]
        assert events.select("user_id", "item_id").dtypes == [pl.String, pl.String]
        assert events["timestamp"].dtype in (pl.Int64, pl.Float64)
        assert events.select("user_id", "item_id", "timestamp").null_count().row(0) == (0, 0, 0)
        assert set(events.columns[3:]) <= {"rating", "event", "part"}
        if "rating" in events.columns:
            assert events["rating"].dtype == pl.Float64

    def test_users_and_items_are_described_once(self) -> None:
        """Each table begins with its id column, and has each id once."""
        with self._folder():
            log = self.read()
        for name, table in (("item_id", log.items), ("user_id", log.users)):
            if table is not None:
                assert table.columns[0] == name
                assert table[name].dtype == pl.String
                assert table[name].null_count() == 0
                assert table[name].is_unique().all()

    def test_features_have_an_id_per_row(self) -> None:
        """A modality that comes with the log is a matrix and the ids of its rows."""
        with self._folder():
            features = self.read().features
        for matrix, ids in features.values():
            assert matrix.ndim == 2
            assert len(matrix) == len(ids)
            assert ids.dtype == pl.String

    def test_the_kind_of_time_is_known(self) -> None:
        """It is one of absolute, relative and order."""
        with self._folder():
            assert self.read().time in get_args(TimeKind)

    def test_the_same_files_give_the_same_log(self) -> None:
        """Reading depends on nothing else."""
        with self._folder():
            one, other = self.read(), self.read()
        assert one.events.equals(other.events)
        assert (one.items is None) == (other.items is None)
        assert one.items is None or other.items is None or one.items.equals(other.items)

    def test_the_log_makes_a_dataset(self) -> None:
        """With a question for every user."""
        with self._folder():
            dataset = Dataset.from_log(self.read())
        assert len(dataset.queries("test").users) == dataset.number_of_users

    def test_files_are_what_is_read(self) -> None:
        """`files` lists existing files, and reading needs no other file of the folder."""
        with self._folder() as folder:
            files = [path.resolve() for path in self.config.files()]
            assert len(set(files)) == len(files)
            assert all(path.is_file() for path in files)
            expected = self.read().events
            for path in folder.rglob("*"):
                if path.is_file() and path.resolve() not in files:
                    path.unlink()
            assert self.read().events.equals(expected)

    def test_a_missing_or_empty_log_is_one_line(self) -> None:
        """The first of `files` has the events; a source that makes up its events has none."""
        with self._folder():
            if not self.config.files():
                return
            events = self.config.files()[0]
            events.write_bytes(b"")
            assert self._refusal().count("\n") == 0
            events.unlink()
            assert self._refusal().count("\n") == 0

    def _refusal(self) -> str:
        try:
            self.read()
        except InputError as error:
            return str(error)
        raise AssertionError("a log without events was read; raise a DataError that says so")

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        before = Path.cwd()
        with TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                self.write()
                yield Path(folder)
            finally:
                os.chdir(before)
