"""The common part of the text and picture encoders: a Hugging Face model that is loaded when it is first used."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from prism_rec.devices import choose_device
from prism_rec.errors import SettingsError
from prism_rec.features.encoders.encoder import Encoder, Placement
from prism_rec.features.encoders.hugging_face_model import find_model, load_model

if TYPE_CHECKING:
    import torch

    from prism_rec.features.encoders.settings import HuggingFace


class HuggingFaceEncoder(Encoder):
    """An encoder that is a model, or one of the two towers of a model.

    Args:
        settings: names the model.
        placement: where the model runs.
        detail: what the vectors depend on, apart from model, precision and modality; for the fingerprint.

    Attributes:
        tower: the method that a two-tower model has for this modality.
        main_input: the main input of a model that has this modality only.

    Raises:
        InputError: the model is not available.
    """

    tower: ClassVar[str]
    main_input: ClassVar[str]

    def __init__(self, settings: "HuggingFace", placement: Placement, detail: str = "") -> None:
        self._settings = settings
        self._placement = placement
        self._source = find_model(settings.model, settings.revision)
        # With `auto`, vectors of a CPU and a GPU count as equal, so that a cache can move; they differ by rounding.
        precision = "" if settings.precision == "auto" else f" {settings.precision}"
        self.fingerprint = f"{self.encodes} {self._source.identity}{detail}{precision}"

    @cached_property
    def _device(self) -> "torch.device":
        return choose_device(self._placement.device)

    @cached_property
    def _model(self) -> Any:
        return self._load()

    def _load(self) -> Any:
        model: Any = load_model(self._source, self._device, self._settings.precision)
        if not hasattr(model, self.tower) and model.main_input_name != self.main_input:
            content = {"text": "texts", "image": "pictures"}[self.encodes]
            raise SettingsError(
                f"{self._source.name} does not encode {content}; choose another model", key="encoder"
            )
        return model
