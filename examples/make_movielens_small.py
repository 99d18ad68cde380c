"""Make `examples/movielens-small` from GroupLens' folder ml-latest-small and feature files for its films.

    python examples/make_movielens_small.py SOURCE

SOURCE holds ratings.csv, movies.csv, tags.csv and README.txt as published, and image_features.npy and
text_features.npy with an .ids.txt beside each. The three tables are taken whole; of the features only the
films that are left after ratings of 4 and more and a 5-core. The same source gives the same bytes.
"""

import gzip
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from prism_rec.data.clean import Cleaning
from prism_rec.data.feature_files import read_features
from prism_rec.data.prepare import prepare

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
    with tempfile.TemporaryDirectory() as scratch:
        cleaning = Cleaning(min_rating=4, core=5)
        films = prepare("movielens", OUT, Path(scratch) / "data", cleaning=cleaning).items["item_id"]
    for modality in MODALITIES:
        matrix, ids, _ = read_features(str(source / f"{modality}_features.npy"))
        kept = ids.is_in(films.implode())
        np.save(OUT / f"{modality}.npy", matrix[kept.to_numpy()], allow_pickle=False)
        (OUT / f"{modality}.ids.txt").write_text("".join(f"{item}\n" for item in ids.filter(kept)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
