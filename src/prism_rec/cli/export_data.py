"""`prism-rec export-data`: a dataset for another library."""

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Output, Replace, Talk
from prism_rec.cli.terminal import print_json, say
from prism_rec.stages.export_data import ExportData
from prism_rec.stages.export_data import export_data as run


class ExportDataOptions(Talk, Replace, Output, ExportData):
    """Write a dataset as RecBole or MMRec read it; prepare reads both formats back.

    The files are named after the folder.

    For instance:

        prism-rec export-data data/beauty --format recbole --out recbole/beauty
    """


def export_data(options: ExportDataOptions) -> None:
    """Write the files and list them."""
    with shown(options.quiet) as events:
        written = run(only(options, ExportData), options.out, events, replace=options.replace)
    files = [str(path) for path in written]
    if options.as_json:
        print_json(files)
    else:
        say("\n".join(files))
