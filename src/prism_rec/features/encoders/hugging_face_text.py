"""Texts -> vectors by any Hugging Face model that reads texts: CLIP, SigLIP, BERT and their like."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_rec.errors import SettingsError
from prism_rec.features.encoders.encoder import Encoded, Modality, Placement, unit_rows
from prism_rec.features.encoders.hugging_face import HuggingFaceEncoder
from prism_rec.features.encoders.hugging_face_model import inference, loading

if TYPE_CHECKING:
    import torch

    from prism_rec.features.encoders.settings import HuggingFace

_NO_LIMIT = 1_000_000


class HuggingFaceTextEncoder(HuggingFaceEncoder):
    """Encodes texts with the text half of a two-tower model, or with the mean over a text model's tokens.

    Texts beyond the token limit are cut. Texts of similar length share a batch, so that there is little
    padding. Neither the batch nor the order changes a vector beyond rounding.

    Args:
        settings: names the model.
        placement: its `batch_size` is the number of texts of full length that go through the model at a time,
            or as many tokens of shorter texts.

    Raises:
        InputError: the model is not available.
    """

    encodes: Modality = "text"
    tower = "get_text_features"
    main_input = "input_ids"

    def __init__(self, settings: "HuggingFace", placement: Placement = Placement()) -> None:
        super().__init__(settings, placement, f" tokens={settings.max_tokens or 'all'}")

    @cached_property
    def token_limit(self) -> int:
        """The number of tokens, special ones included, beyond which a text is cut."""
        text_config = self._model.config.get_text_config()
        positions = getattr(text_config, "max_position_embeddings", _NO_LIMIT)
        limit = min(self._tokenizer.model_max_length, positions - _first_position(self._model))
        asked = self._settings.max_tokens
        if asked is not None and asked > limit:
            raise SettingsError(
                f"{asked} is more than the {limit} of {self._source.name}", key="encoder.max_tokens"
            )
        return asked or limit

    def encode(self, batch: Sequence[str]) -> Encoded:
        """Return unit vectors float32 [B, D] of any number of texts, at least one, in their order."""
        limit = self.token_limit
        tokens, truncated = self._tokenize(list(batch), limit)
        lengths = np.array([limit if self._reads_padding else len(one) for one in tokens])
        order = np.argsort(-lengths, kind="stable")
        vectors = [
            self._encode_tokens([tokens[row] for row in order[start:stop]])
            for start, stop in _cut(lengths[order], self._most_tokens)
        ]
        return Encoded(unit_rows(np.concatenate(vectors)[np.argsort(order)]), truncated, limit)

    def _tokenize(self, texts: list[str], limit: int) -> tuple[list[list[int]], np.ndarray]:
        """Return the token numbers of each text, cut at the limit, and which were cut."""
        tokens: list[list[int]] = self._tokenizer(texts, truncation=False, verbose=False)["input_ids"]
        truncated = np.array([len(one) > limit for one in tokens], dtype=bool)
        for row in np.flatnonzero(truncated):
            tokens[row] = self._tokenizer(texts[row], truncation=True, max_length=limit)["input_ids"]
        return tokens, truncated

    def _encode_tokens(self, tokens: list[list[int]]) -> np.ndarray:
        inputs = self._tokenizer.pad(
            {"input_ids": tokens},
            padding="max_length" if self._reads_padding else True,
            max_length=self.token_limit if self._reads_padding else None,
            return_tensors="pt",
            verbose=False,
        ).to(self._device)
        if self._reads_padding:
            inputs.pop("attention_mask", None)
        with inference():
            vectors: np.ndarray = _features(self._model, inputs).float().cpu().numpy()
        return vectors

    @property
    def _reads_padding(self) -> bool:
        """SigLIP was trained without a mask on texts padded to the limit, and pools the last position."""
        return str(self._model.config.model_type).startswith("siglip")

    @property
    def _most_tokens(self) -> int:
        """Tokens in a batch, padding included: many on a GPU; on a CPU, few enough to stay in its cache."""
        if self._placement.batch_size is not None:
            return self._placement.batch_size * self.token_limit
        return 32_768 if self._device.type == "cuda" else 1_024

    @cached_property
    def _tokenizer(self) -> Any:
        with loading(self._source):
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(self._source.location, revision=self._source.revision)
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            return tokenizer

    def _load(self) -> Any:
        model = super()._load()
        return model.get_encoder() if model.config.is_encoder_decoder else model


def _cut(lengths: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut falling lengths into batches, start and stop, of at most so many tokens with padding."""
    start = 0
    while start < len(lengths):
        stop = min(len(lengths), start + max(1, most // int(lengths[start])))
        yield start, stop
        start = stop


def _first_position(model: Any) -> int:
    """Return where a model starts to count positions: RoBERTa and its relatives reserve some for padding."""
    positions = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(positions, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def _features(model: Any, inputs: Any) -> "torch.Tensor":
    if hasattr(model, "get_text_features"):
        vectors: torch.Tensor = model.get_text_features(**inputs).pooler_output
        return vectors
    states = model(**inputs).last_hidden_state.float()
    mask = inputs["attention_mask"].unsqueeze(-1)
    mean: torch.Tensor = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
    return mean
