"""The report's tests show the made-up comparisons of the tests of `compare`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "compare"))
