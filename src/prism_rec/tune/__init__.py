"""Search for settings: trials by validation alone, all of one budget."""

from prism_rec.tune.run import Tuned, tune
from prism_rec.tune.search import Search, TuneConfig, read_search
from prism_rec.tune.trial import Outcome, SearchListener

__all__ = ["Outcome", "Search", "SearchListener", "TuneConfig", "Tuned", "read_search", "tune"]
