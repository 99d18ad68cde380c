"""Pictures -> vectors by any Hugging Face model that sees pictures: CLIP, SigLIP, DINOv2 and their like."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from prism_rec.features.encoders.encoder import Encoded, PictureEncoder, Placement, unit_rows
from prism_rec.features.encoders.hugging_face import HuggingFaceEncoder
from prism_rec.features.encoders.hugging_face_model import ModelSource, inference, loading

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from prism_rec.features.encoders.settings import HuggingFace


class PicturePreparation:
    """The model's own resizing and cropping, with Pillow only; made once in each worker process.

    Scaling and normalising are left to the device if the processor allows it: then bytes travel, not floats.
    """

    def __init__(self, source: ModelSource) -> None:
        self._source = source

    def __call__(self, picture: "Image") -> dict[str, np.ndarray]:
        """Return the model's inputs by name, without the batch axis."""
        asked = {} if self.normalisation is None else {"do_rescale": False, "do_normalize": False}
        inputs = self.processor(picture, return_tensors="np", **asked)
        return {name: np.asarray(values[0]) for name, values in inputs.items()}

    @cached_property
    def processor(self) -> Any:
        """The picture processor that came with the model."""
        with loading(self._source):
            from transformers import AutoImageProcessor

            processors: Any = AutoImageProcessor
            return processors.from_pretrained(
                self._source.location, revision=self._source.revision, backend="pil"
            )

    @cached_property
    def normalisation(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Factor and shift per channel, float32 [3, 1, 1]; None if the processor must do it itself."""
        processor = self.processor
        if list(processor.model_input_names) != ["pixel_values"] or not processor.do_rescale:
            return None
        mean, deviation = np.zeros(3), np.ones(3)
        if processor.do_normalize:
            mean, deviation = np.array(processor.image_mean), np.array(processor.image_std)
        factor = (processor.rescale_factor / deviation).astype(np.float32)
        return factor.reshape(3, 1, 1), (-mean / deviation).astype(np.float32).reshape(3, 1, 1)


class HuggingFacePictureEncoder(HuggingFaceEncoder, PictureEncoder):
    """Encodes pictures with the picture half of a two-tower model, or with a vision model's pooled output.

    A vision model without a trained pooler gives the mean over its tokens.

    Args:
        settings: names the model.
        placement: its `batch_size` is the number of pictures that go through the model at a time.

    Raises:
        InputError: the model is not available.
    """

    tower = "get_image_features"
    main_input = "pixel_values"
    prepare: PicturePreparation

    def __init__(self, settings: "HuggingFace", placement: Placement = Placement()) -> None:
        super().__init__(settings, placement)
        self.prepare = PicturePreparation(self._source)

    @property
    def batch_size(self) -> int:
        """How many pictures go through the model at a time."""
        return self._placement.batch_size or (128 if self._device.type == "cuda" else 16)

    def encode(self, batch: Sequence[dict[str, np.ndarray]]) -> Encoded:
        """Return unit vectors float32 [B, D] of prepared pictures."""
        import torch

        model = self._model
        inputs = {
            name: torch.from_numpy(np.stack([one[name] for one in batch])).to(self._device)
            for name in batch[0]
        }
        pixels = inputs["pixel_values"]
        if self._normalisation is not None:
            factor, shift = self._normalisation
            pixels = pixels * factor + shift
        inputs["pixel_values"] = pixels.to(model.dtype)
        with inference():
            return Encoded(unit_rows(_features(model, inputs).float().cpu().numpy()))

    @cached_property
    def _normalisation(self) -> "tuple[torch.Tensor, torch.Tensor] | None":
        import torch

        if self.prepare.normalisation is None:
            return None
        factor, shift = (torch.from_numpy(part).to(self._device) for part in self.prepare.normalisation)
        return factor, shift


def _features(model: Any, inputs: "dict[str, torch.Tensor]") -> "torch.Tensor":
    output = model.get_image_features(**inputs) if hasattr(model, "get_image_features") else model(**inputs)
    vectors: torch.Tensor | None = output.pooler_output
    if vectors is None:
        vectors = cast("torch.Tensor", output.last_hidden_state).mean(dim=1)
    return vectors.flatten(start_dim=1)
