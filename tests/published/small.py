"""What the tests of the published code's defects share: small settings and histories."""

from prism_rec.backbones.sasrec import SASRecConfig
from prism_rec.data.histories import Histories
from prism_rec.fusion.prism.with_experts import ExpertPrismConfig
from prism_rec.testing.checks import HISTORIES

PRISM = ExpertPrismConfig(hidden=6)
SASREC = SASRecConfig(form="post_norm", layers=1)
TRAINING = Histories.from_lists([history for history in HISTORIES if len(history) > 1])
