"""`prism-rec explore`: a page to look at recommendations and their reasons."""

from contextlib import suppress
from pathlib import Path

from prism_rec.cli.command import only
from prism_rec.cli.serve import require_serve
from prism_rec.explore.settings import Explore


class ExploreOptions(Explore):
    """Show a page in the browser: histories, recommendations, and why.

    Choose a user, or compose a history by titles. Leave items out, or switch pictures or texts off, and see what
    changes. Another page shows how the gate weighs the parts for everybody.

    For instance:

        prism-rec explore runs/ml-small --pictures posters

        prism-rec explore runs/prism --other runs/id
    """

    run: Path
    """Folder of a finished run."""
    quiet: bool = False
    """Show no progress and no notes."""


def explore(options: ExploreOptions) -> None:
    """Show the page until the process is stopped."""
    from prism_rec.cli.bars import shown

    require_serve()
    from prism_rec.explore.app import explore as run

    with suppress(KeyboardInterrupt), shown(options.quiet) as events:
        run(options.run, only(options, Explore), events)
