"""The encoders that can be chosen: a settings class per kind. Packages add kinds in the group `prism_rec.encoders`.

The encoders themselves are imported when they are built, so that settings cost no libraries.
"""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from prism_rec.config import Config
from prism_rec.features.encoders.encoder import Encoder, Modality, Placement
from prism_rec.plugins import Kinds

CLIP = "openai/clip-vit-base-patch32"

Precision = Literal["auto", "float32", "float16", "bfloat16"]


class EncoderSettings(Config):
    """The base of an encoder's settings: everything that its vectors depend on.

    Subclasses set `kind` and declare `modalities`, the kinds of content that the encoder takes.
    """

    modalities: ClassVar[tuple[Modality, ...]]
    kind: str
    """Name of the encoder."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that the vectors depend on, apart from the contents."""
        return ()

    @abstractmethod
    def build(self, modality: Modality, placement: Placement = Placement()) -> Encoder:
        """Return the encoder; nothing large is loaded yet.

        Args:
            modality: one of `modalities`.
            placement: where the model runs; an encoder without a model ignores it.

        Raises:
            InputError: the encoder cannot be made here, for instance because its model is not available.
        """


class HuggingFace(EncoderSettings):
    """A model of the transformers library: CLIP, SigLIP, DINOv2, text encoders."""

    modalities: ClassVar[tuple[Modality, ...]] = ("text", "image")

    kind: Literal["hugging-face"] = "hugging-face"
    """Name of the encoder."""
    model: str = CLIP
    """Name of the model on the hub, or its folder."""
    revision: str = "main"
    """Branch, tag or commit of the model on the hub."""
    max_tokens: int | None = Field(None, ge=1)
    """Cut texts at this number of tokens. Default: the limit of the model."""
    precision: Precision = "auto"
    """Number format of the model. `auto` is float16 on a GPU and float32 elsewhere."""

    def files(self) -> tuple[Path, ...]:
        """Return the files of the model if it is a folder."""
        folder = Path(self.model)
        return tuple(sorted(file for file in folder.iterdir() if file.is_file())) if folder.is_dir() else ()

    def build(self, modality: Modality, placement: Placement = Placement()) -> Encoder:
        """Find the model, in the local cache or by asking the hub once, and return its encoder."""
        from prism_rec.features.encoders.hugging_face_picture import HuggingFacePictureEncoder
        from prism_rec.features.encoders.hugging_face_text import HuggingFaceTextEncoder

        if modality == "text":
            return HuggingFaceTextEncoder(self, placement)
        return HuggingFacePictureEncoder(self, placement)


class HashedText(EncoderSettings):
    """Hashed n-grams and a truncated SVD; needs no download. It learns from all texts together."""

    modalities: ClassVar[tuple[Modality, ...]] = ("text",)

    kind: Literal["hashed-text"] = "hashed-text"
    """Name of the encoder."""
    width: int = Field(256, ge=1, le=2**16)
    """Length of a vector. If there are fewer distinct texts, the last axes are zero."""
    fit_on: int = Field(20_000, ge=1, lt=2**31)
    """The axes are learned from at most this number of distinct texts, chosen by hash; all texts are encoded."""

    def build(self, modality: Modality, placement: Placement = Placement()) -> Encoder:
        """Return the encoder, which has learned nothing yet; it runs on the CPU."""
        from prism_rec.features.encoders.hashed_text import HashedTextEncoder

        return HashedTextEncoder(self.width, self.fit_on)


class PictureDescriptors(EncoderSettings):
    """Histograms of colours and gradients; needs no download."""

    modalities: ClassVar[tuple[Modality, ...]] = ("image",)

    kind: Literal["picture-descriptors"] = "picture-descriptors"
    """Name of the encoder."""

    def build(self, modality: Modality, placement: Placement = Placement()) -> Encoder:
        """Return the encoder, which runs on the CPU."""
        from prism_rec.features.encoders.picture_descriptors import PictureDescriptorEncoder

        return PictureDescriptorEncoder()


class EfficientNet(EncoderSettings):
    """EfficientNet-Lite0, which learned to tell things apart on ImageNet; its weights come with a package."""

    modalities: ClassVar[tuple[Modality, ...]] = ("image",)

    kind: Literal["efficientnet-lite0"] = "efficientnet-lite0"
    """Name of the encoder."""

    def build(self, modality: Modality, placement: Placement = Placement()) -> Encoder:
        """Find the weights and return the encoder; extra `efficientnet`."""
        from prism_rec.features.encoders.efficientnet import EfficientNetEncoder

        return EfficientNetEncoder(placement)


class Words(Config):
    """Words as they are, weighed by TF-IDF; the model learns a vector for each word. Needs no download.

    The vocabulary is found once, in the items of the data, and kept with it. New items get the words that are in it.
    """

    modalities: ClassVar[tuple[Modality, ...]] = ("text",)

    kind: Literal["words"] = "words"
    """Name of the encoder."""
    min_items: int = Field(2, ge=1)
    """Words of fewer items are left out: a word of one item says no more than the item's id."""

    def files(self) -> tuple[Path, ...]:
        """Return no file: words depend on the items only."""
        return ()


_BuiltIn = HuggingFace | HashedText | PictureDescriptors | EfficientNet | Words
_KINDS = Kinds("prism_rec.encoders")


def _name_model(given: Any) -> Any:
    """Read a name that is not a kind as the model of the kind `hugging-face`."""
    values = {"kind": given} if isinstance(given, str) else given
    if not isinstance(values, Mapping) or "model" in values or not isinstance(values.get("kind"), str):
        return given
    if values["kind"] in _KINDS.members(_BuiltIn):
        return given
    return {**values, "kind": "hugging-face", "model": values["kind"]}


EncoderConfig = Annotated[_BuiltIn, _KINDS, BeforeValidator(_name_model)]
"""An encoder by its kind. A name that is not a kind is the name or folder of a Hugging Face model."""
