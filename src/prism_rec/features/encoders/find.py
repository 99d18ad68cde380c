"""From an encoder's name to the encoder."""

from prism_rec.errors import InputError
from prism_rec.features.encoders.encoder import Encoder, Modality
from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.encoders.hugging_face_model import Precision, find_model
from prism_rec.features.encoders.hugging_face_picture import HuggingFacePictureEncoder
from prism_rec.features.encoders.hugging_face_text import HuggingFaceTextEncoder
from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder

CLIP = "openai/clip-vit-base-patch32"
HASHED_TEXT = "hashed-text"
PICTURE_DESCRIPTORS = "picture-descriptors"


def find_encoder(
    name: str,
    modality: Modality,
    *,
    revision: str = "main",
    max_tokens: int | None = None,
    batch_size: int | None = None,
    precision: Precision = "auto",
    device: str = "auto",
) -> Encoder | HashedTextEncoder:
    """Return the encoder of this name for texts or for pictures; nothing large is loaded yet.

    Args:
        name: `hashed-text` or `picture-descriptors`, which need no download; else a Hugging Face model by its
            name on the hub or by its folder.
        modality: what it has to encode.
        revision: branch, tag or commit of a model on the hub.
        max_tokens: where to cut texts, if sooner than the model must.
        batch_size: pictures, or texts of full length, that go through a model at a time; None: as many as
            suit the device.
        precision: number format of a model; `auto` is float16 on a GPU and float32 elsewhere.
        device: where a model runs: `cpu`, `cuda`, `cuda:1`, ...; `auto` is the GPU if there is one.

    Raises:
        InputError: no such model within reach, or a download-free encoder of the other modality.
    """
    made = {HASHED_TEXT: "text", PICTURE_DESCRIPTORS: "image"}.get(name)
    if made is not None and made != modality:
        raise InputError(f"{name} encodes {made}s, not {modality}s; choose another encoder")
    if name == HASHED_TEXT:
        return HashedTextEncoder()
    if name == PICTURE_DESCRIPTORS:
        return PictureDescriptorEncoder()
    source = find_model(name, revision)
    if modality == "text":
        return HuggingFaceTextEncoder(source, max_tokens, batch_size, precision, device)
    return HuggingFacePictureEncoder(source, batch_size, precision, device)
