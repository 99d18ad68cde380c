"""Make `examples/movielens-small` from GroupLens' folder ml-latest-small and feature files for its films.

    python examples/make_movielens_small.py SOURCE

SOURCE has ratings.csv, movies.csv, tags.csv and README.txt as published, and image_features.npy and text_features.npy,
each with an .ids.txt. The three tables are copied whole; the features only of the films that remain after dropping
ratings below 4 and a 5-core. The same source gives the same bytes.
"""

import gzip
import shutil
import sys
from pathlib import Path

import numpy as np

from prism_rec.data import Cleaning, Dataset
from prism_rec.data.sources import MovieLens
from prism_rec.features.vectors_file import read_vectors_file

OUT = Path(__file__).parent / "movielens-small"
TABLES = ("ratings.csv", "movies.csv", "tags.csv")
MODALITIES = ("image", "text")


def main(source: Path) -> None:
    """Write the tables, then the features of the films that the example keeps."""
    OUT.mkdir(exist_ok=True)
    for name in TABLES:
        packed = gzip.compress((source / name).read_bytes(), compresslevel=9, mtime=0)
        (OUT / f"{name}.gz").write_bytes(packed)
    shutil.copyfile(source / "README.txt", OUT / "README.txt")
    films = Dataset.from_log(MovieLens(folder=OUT).read(), Cleaning(min_rating=4, core=5)).items["item_id"]
    for modality in MODALITIES:
        matrix, ids, _ = read_vectors_file(str(source / f"{modality}_features.npy"))
        kept = ids.is_in(films.implode())
        np.save(OUT / f"{modality}.npy", matrix[kept.to_numpy()], allow_pickle=False)
        (OUT / f"{modality}.ids.txt").write_text("".join(f"{item}\n" for item in ids.filter(kept)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
