"""Finds and loads a Hugging Face model by its name on the hub or by its folder, or says how to get it.

PyTorch is imported only when a model is loaded: a run for which every vector exists does not need it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prism_rec.errors import DataError, InputError, SettingsError
from prism_rec.files import hash_file

if TYPE_CHECKING:
    import torch

    from prism_rec.features.encoders.settings import Precision

_HUB_TIMEOUT = 10.0
"""Seconds."""


@dataclass(frozen=True)
class ModelSource:
    """Where one model's files are, fixed to one state of them.

    Attributes:
        name: how the user called it.
        location: the folder, or the name on the hub.
        revision: the commit on the hub; None for a folder.
        identity: the commit, or the hash of the folder's files; it changes if the model changes.
    """

    name: str
    location: str
    revision: str | None
    identity: str


def find_model(name: str, revision: str = "main") -> ModelSource:
    """Find a model folder or a cached model; otherwise ask the hub, once, whether it has the model.

    A cached model is used as it is, so that a later commit on the hub does not change vectors.

    Args:
        name: a folder with `config.json`, or a name on the hub such as `openai/clip-vit-base-patch32`.
        revision: branch, tag or commit on the hub.

    Raises:
        SettingsError: neither a model folder nor a model on the hub, or not cached while the hub cannot be
            reached.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise SettingsError(
                f"{folder} has no config.json; name a folder that save_pretrained or a download made"
            )
        return ModelSource(name, str(folder), None, _hash_folder(folder))
    with _hub_errors(name, revision):
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(name, "config.json", revision=revision)
        commit = Path(cached).parent.name if isinstance(cached, str) else _ask_hub(name, revision)
        return ModelSource(name, name, commit, commit)


def load_model(source: ModelSource, device: "torch.device", precision: "Precision") -> "torch.nn.Module":
    """Load the weights, ready for inference on `device`; never runs code that comes with a model.

    Raises:
        DataError: weights are missing or damaged.
        SettingsError: the weights are not in the local cache, and the hub cannot be reached.
    """
    with loading(source):
        from transformers import AutoModel

        model, facts = AutoModel.from_pretrained(
            source.location,
            revision=source.revision,
            dtype=_dtype(device, precision),
            output_loading_info=True,
        )
        missing = sorted(facts["missing_keys"])
        if missing and not all(key.startswith("pooler.") for key in missing):
            raise DataError(
                f"{source.name}: its files lack the weights {missing[0]!r}; fetch the model again"
            )
        if missing:
            model.pooler = None  # an untrained layer would only add noise
        ready: torch.nn.Module = model.eval().to(device)
        return ready


@contextmanager
def inference() -> Iterator[None]:
    """Run a model without keeping anything for gradients.

    Raises:
        SettingsError: the batch does not fit into the GPU's memory.
    """
    import torch

    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError:
        raise SettingsError("the memory of the GPU is full; lower `engine.batch_size`") from None


@contextmanager
def loading(source: ModelSource) -> Iterator[None]:
    """Turn the many errors of loading a model, its tokenizer or its picture processor into one line."""
    with _hub_errors(source.name, source.revision or "main"):
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # on damaged files the libraries raise exceptions of any class
            if source.revision is not None and isinstance(error, OSError):
                raise _unreachable(source.name, source.revision) from None
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"{source.name} cannot be loaded ({reason}); fetch the model again") from None


@contextmanager
def _hub_errors(name: str, revision: str) -> Iterator[None]:
    try:
        from huggingface_hub import errors
    except ImportError:
        raise SettingsError(f"encoder {name!r} needs transformers: pip install 'prism-rec[hf]'") from None
    try:
        yield
    except errors.HFValidationError:
        raise SettingsError(
            f"{name!r} is not a kind of encoder, nor a folder, nor a model's name such as owner/model",
            key="encoder",
        ) from None
    except (errors.GatedRepoError, errors.RepositoryNotFoundError):
        raise SettingsError(
            f"the hub shows no model {name!r}; check the name, or run `hf auth login` if it is private"
        ) from None
    except errors.RevisionNotFoundError:
        raise SettingsError(
            f"{name} has no revision {revision!r}; name a branch, tag or commit", key="encoder.revision"
        ) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, errors.HfHubHTTPError):
        raise _unreachable(name, revision) from None
    except errors.EntryNotFoundError:
        raise SettingsError(
            f"{name} on the hub has no config.json; choose a model of the transformers library"
        ) from None


def _ask_hub(name: str, revision: str) -> str:
    """Return the commit of a revision."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url

    try:
        url = hf_hub_url(name, "config.json", revision=revision)
        return get_hf_file_metadata(url, timeout=_HUB_TIMEOUT).commit_hash or revision
    except (errors.HfHubHTTPError, errors.HFValidationError):
        raise
    except Exception:  # errors of the HTTP library that the hub's client uses
        raise _unreachable(name, revision) from None


def _unreachable(name: str, revision: str) -> SettingsError:
    at = "" if revision == "main" else f" --revision {revision}"
    return SettingsError(
        f"{name} is not completely in the local cache, and the hub cannot be reached; on a machine that reaches"
        f" the hub run `hf download {name}{at} --local-dir DIR`, copy DIR here and give DIR as `encoder.model`,"
        " or use the encoder hashed-text or picture-descriptors, which need no download"
    )


def _hash_folder(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".md")
    listing = "".join(f"{path.name} {hash_file(path)}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def _dtype(device: "torch.device", precision: "Precision") -> "torch.dtype":
    import torch

    if precision == "auto":
        precision = "float16" if device.type == "cuda" else "float32"
    dtype: torch.dtype = getattr(torch, precision)
    return dtype
