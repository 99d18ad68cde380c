"""`prism-rec export`: a run as a folder that recommends without it."""

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Output, Replace, Talk
from prism_rec.cli.terminal import print_json, say
from prism_rec.exporting.settings import Export


class ExportOptions(Talk, Replace, Output, Export):
    """Write a run for other programs, and check that it recommends the same there.

    A folder of the format onnx recommends with numpy and onnxruntime: python OUT/recommend.py --history A,B,C

    For instance:

        prism-rec export runs/shop --format onnx --out exported/shop
    """


def export(options: ExportOptions) -> None:
    """Write the folder and say how it compares with the run."""
    from prism_rec.exporting.export import export as run

    with shown(options.quiet) as events:
        parity = run(only(options, Export), options.out, events, replace=options.replace)
    if options.as_json:
        print_json(parity.model_dump())
    else:
        say(
            f"wrote {options.out}: the same {parity.k} items as the run for {parity.histories} histories, "
            f"scores within {parity.largest_difference:.1e}"
        )
