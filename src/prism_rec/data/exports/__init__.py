"""Export formats: datasets as other libraries read them, one module per format.

An export format is a settings class with a `kind`; `write(dataset, folder)` writes files and returns their names. A
format that has no place for the split or for vectors declares `leaves_out`, and the command says so. A package adds a
format by an entry point of the group `prism_rec.export_formats`; `testing.ExportFormatContract` has its tests.
"""

from typing import Annotated

from prism_rec.data.exports.mmrec import MMRecFolder
from prism_rec.data.exports.recbole import RecBoleFiles
from prism_rec.plugins import Kinds

ExportFormat = Annotated[RecBoleFiles | MMRecFolder, Kinds("prism_rec.export_formats")]
"""The settings of any export format."""

__all__ = ["ExportFormat", "MMRecFolder", "RecBoleFiles"]
