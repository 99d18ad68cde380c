"""The contract of an export format."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data import Dataset
from prism_rec.testing.checks import SettingsContract


class ExportFormatContract(SettingsContract):
    """Tests of one export format: subclass it in a test file, name the subclass `Test...` and set `config`.

    Attributes:
        config: settings of the format.
    """

    def source(self, folder: Path) -> Any:
        """Return the settings of the source that reads the format; None if there is no such source."""

    def dataset(self, time: Any = "absolute") -> Dataset:
        """Return a small dataset whose second modality is missing for some items."""
        users = ["ann"] * 4 + ["bob"] * 5 + ["é 7"] * 3
        items = ["a", "b", "c", "d", "b", "e", "a", "c", "007", "e", "d", "a"]
        log = pl.DataFrame({"user_id": users, "item_id": items, "timestamp": range(10, 22)})
        described = pl.DataFrame({"item_id": ["a", "b"], "title": ["A b", 'say "x"'], "price": [1.5, None]})
        ids = sorted(set(items))
        vectors = np.random.default_rng(0).standard_normal((len(ids), 4))
        features = {"image": (vectors, ids), "text": (vectors[1:, :3], ids[1:])}
        return Dataset.from_frame(log, described, features, time=time)

    def test_the_names_of_all_files_are_returned(self) -> None:
        """`write` returns the names of exactly the files that it makes in the folder."""
        with TemporaryDirectory() as folder:
            names = self.config.write(self.dataset(), Path(folder))
            found = [
                path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()
            ]
        assert sorted(names) == sorted(found)
        assert names

    def test_equal_datasets_give_equal_files(self) -> None:
        """Byte by byte."""
        written = []
        for _ in range(2):
            with TemporaryDirectory() as folder:
                out = Path(folder) / "data"
                out.mkdir()
                names = self.config.write(self.dataset(), out)
                written.append({name: (out / name).read_bytes() for name in names})
        assert written[0] == written[1]

    def test_what_is_written_is_read_back(self) -> None:
        """If there is a source for the format: the same users with the same histories."""
        for time in ("absolute", "order"):
            dataset = self.dataset(time)
            with TemporaryDirectory() as folder:
                self.config.write(dataset, Path(folder))
                source = self.source(Path(folder))
                if source is None:
                    return
                again = Dataset.from_log(source.read())
            assert _histories(again) == _histories(dataset)


def _histories(dataset: Dataset) -> dict[str, list[str]]:
    """Return each user's item ids, oldest first."""
    items, histories = dataset.items["item_id"], dataset.histories
    return {
        user: items.gather(histories[row] - 1).to_list() for row, user in enumerate(dataset.users["user_id"])
    }
