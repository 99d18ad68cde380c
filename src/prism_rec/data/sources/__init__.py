"""Sources: one module per format of raw logs.

A source is a settings class with a `kind`. `files()` lists the files that it reads, and `read()` returns a `RawLog`.
A package adds a source by an entry point of the group `prism_rec.sources`; `testing.SourceContract` has its tests.
"""

from typing import Annotated

from prism_rec.data.sources.amazon import Amazon2014, Amazon2018, Amazon2023
from prism_rec.data.sources.mmrec import MMRec
from prism_rec.data.sources.movielens import MovieLens
from prism_rec.data.sources.planted import Planted
from prism_rec.data.sources.recbole import RecBole
from prism_rec.data.sources.table import Table
from prism_rec.data.sources.text import Text
from prism_rec.data.sources.yelp import Yelp
from prism_rec.plugins import Kinds

Source = Annotated[
    Table | MovieLens | Text | Amazon2014 | Amazon2018 | Amazon2023 | Yelp | RecBole | MMRec | Planted,
    Kinds("prism_rec.sources"),
]
"""The settings of any source."""

__all__ = [
    "Amazon2014",
    "Amazon2018",
    "Amazon2023",
    "MMRec",
    "MovieLens",
    "Planted",
    "RecBole",
    "Source",
    "Table",
    "Text",
    "Yelp",
]
