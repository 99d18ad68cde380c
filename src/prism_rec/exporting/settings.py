"""Which run is exported, and how."""

from pathlib import Path

from prism_rec.config import Config
from prism_rec.exporting.formats import AnyModelFormat


class Export(Config):
    """Which run is written in which format."""

    run: Path
    """Folder of a finished run."""
    format: AnyModelFormat
    """What runs the model: onnxruntime or PyTorch."""
    users: bool = False
    """Write the users and their histories too, so that the folder answers for user ids. Without it, the folder has no
    interactions and no user ids, and histories must be given."""
