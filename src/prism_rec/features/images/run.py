"""Gathering pictures as the commands `images` and `build` do it."""

from pathlib import Path

from prism_rec.errors import InputError
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.progress import progress_bar


def run_gathering(sources: Path | None, out: Path, options: GatherOptions, progress: bool = True) -> None:
    """Gather pictures, with a progress bar; see `prism_rec.features.images.gather.gather_images`.

    Raises:
        InputError: a package of the extra `images` is missing, or whatever `gather_images` finds wrong.
    """
    try:
        from prism_rec.features.images.gather import gather_images
    except ModuleNotFoundError as error:
        raise InputError(f"images needs {error.name}: pip install 'prism-rec[images]'") from None
    with progress_bar("pictures", progress) as tell:
        gather_images(sources, out, options, tell)
