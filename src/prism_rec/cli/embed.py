"""`prism-rec embed`: texts or pictures of items to vectors."""

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Output, Replace, Resume, Talk
from prism_rec.cli.terminal import print_json, say
from prism_rec.stages.embed import Embed


class EmbedOptions(Talk, Resume, Replace, Embed, Output):
    """Turn texts or pictures of items into unit vectors.

    Without --fields, the text of an item is its title. Items without a text or a picture get no vector. A run that was
    killed continues when it is started again. A run after new items came encodes only those. The command prepare takes
    the folder as --features NAME=FOLDER.

    For instance:

        prism-rec embed --items data/beauty --fields title --fields brand \\
          --out vectors/text

        prism-rec embed --pictures images --encoder facebook/dinov2-base \\
          --out vectors/image

        prism-rec embed --items tuesday.csv --like vectors/monday \\
          --out vectors/tuesday
    """


def embed(options: EmbedOptions) -> None:
    """Run the stage and show its summary."""
    from dataclasses import asdict

    from prism_rec.stages.embed import embed as run

    options.check_folder(options.out)
    with shown(options.quiet) as events:
        summary = run(only(options, Embed), options.out, events, replace=options.replace)
    if options.as_json:
        print_json(asdict(summary))
    else:
        say("\n".join([f"{options.out}:", *summary.lines()]))
