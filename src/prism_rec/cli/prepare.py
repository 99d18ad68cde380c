"""`prism-rec prepare`: a raw log to a dataset folder."""

from prism_rec.cli.bars import shown
from prism_rec.cli.command import only
from prism_rec.cli.common import Output, Replace, Talk
from prism_rec.cli.describe import show
from prism_rec.stages.prepare import Prepare
from prism_rec.stages.prepare import prepare as run


class PrepareOptions(Talk, Replace, Output, Prepare):
    r"""Turn a raw log into a dataset that train, evaluate and recommend read.

    Each user's events are put in order of time, equal times in the order of the file. In large files, lines that
    cannot be read are skipped and counted, up to 1 in 100. Any other fault of the input stops the command, and nothing
    is written. The command shows what the dataset has; card.md and card.html in the folder keep it. If all of this was
    done before with the same options and files, nothing is done. If files have changed, the dataset is made again.

    For instance:

        prism-rec prepare --source movielens --folder ml-latest-small --min-rating 4 \
          --core 5 --features text=text.npy --out data/ml-small

        prism-rec prepare --source amazon-2014 --reviews reviews_Beauty_5.json.gz \
          --metadata meta_Beauty.json.gz --core 5 --out data/beauty
    """


def prepare(options: PrepareOptions) -> None:
    """Prepare the data and show the dataset."""
    with shown(options.quiet) as events:
        dataset = run(only(options, Prepare), options.out, events, replace=options.replace)
    show(dataset, str(options.out), options.as_json)
