"""From raw logs to a `Dataset`: sources, cleaning, order, split and feature tables. No torch here."""

import os

# Polars refuses tables with a time zone such as +05:30, which pandas and Arrow write, unless this is set when it reads.
os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")

from prism_rec.data.bag import Bag
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset import Dataset
from prism_rec.data.feature_table import FeatureTable
from prism_rec.data.histories import Histories
from prism_rec.data.queries import Queries
from prism_rec.data.raw_log import RawLog
from prism_rec.data.split import ColdItems, Given, LeaveOneOut, NoSplit, Split, SplitRule, Temporal

__all__ = [
    "Bag",
    "Cleaning",
    "ColdItems",
    "Dataset",
    "FeatureTable",
    "Given",
    "Histories",
    "LeaveOneOut",
    "NoSplit",
    "Queries",
    "RawLog",
    "Split",
    "SplitRule",
    "Temporal",
]
