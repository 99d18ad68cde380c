"""Texts -> vectors by any Hugging Face model that reads texts: CLIP, SigLIP, BERT and their like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_rec.devices import choose_device
from prism_rec.errors import InputError
from prism_rec.features.encoders.encoder import Encoded, Modality
from prism_rec.features.encoders.hugging_face_model import (
    ModelSource,
    Precision,
    fingerprint_of,
    inference,
    load_model,
    loading,
)
from prism_rec.features.encoders.unit import unit_rows

if TYPE_CHECKING:
    import torch

_NO_LIMIT = 1_000_000


class HuggingFaceTextEncoder:
    """Encode texts with the text half of a two-tower model, or with the mean over a text model's tokens.

    Longer texts are cut at the token limit. Texts of like length share a batch, so little is padded; neither
    batch nor order changes a vector beyond rounding.

    Args:
        source: from `find_model`.
        max_tokens: cut texts sooner than the model must; None: at the model's own limit.
        batch_size: number of texts of full length that go through the model at a time, or as many tokens of
            shorter ones; None: as many as suit the device.
        precision: number format of the model; `auto` is float16 on a GPU and float32 elsewhere.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` is the GPU if there is one.
    """

    encodes: Modality = "text"

    def __init__(
        self,
        source: ModelSource,
        max_tokens: int | None = None,
        batch_size: int | None = None,
        precision: Precision = "auto",
        device: str = "auto",
    ) -> None:
        tokens = f" tokens={max_tokens or 'all'}"
        self.fingerprint = f"text {source.identity}{tokens}{fingerprint_of(precision)}"
        self._source = source
        self._max_tokens = max_tokens
        self._batch_size = batch_size
        self._precision = precision
        self._device_name = device

    @cached_property
    def token_limit(self) -> int:
        """The number of tokens, special ones included, beyond which a text is cut."""
        text_config = self._model.config.get_text_config()
        positions = getattr(text_config, "max_position_embeddings", _NO_LIMIT)
        limit = min(self._tokenizer.model_max_length, positions - _first_position(self._model))
        if self._max_tokens is not None and self._max_tokens > limit:
            raise InputError(f"max_tokens {self._max_tokens} is more than the {limit} of {self._source.name}")
        return self._max_tokens or limit

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

    @cached_property
    def _device(self) -> torch.device:
        return choose_device(self._device_name)

    @property
    def _most_tokens(self) -> int:
        """Tokens in a batch, padding included: many on a GPU; on a CPU, few enough to stay in its cache."""
        if self._batch_size is not None:
            return self._batch_size * self.token_limit
        return 32_768 if self._device.type == "cuda" else 1_024

    @cached_property
    def _tokenizer(self) -> Any:
        with loading(self._source):
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(self._source.location, revision=self._source.revision)
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            return tokenizer

    @cached_property
    def _model(self) -> Any:
        model: Any = load_model(self._source, self._device, self._precision)
        if not hasattr(model, "get_text_features") and model.main_input_name != "input_ids":
            raise InputError(f"{self._source.name} encodes no texts; name a text model or a two-tower model")
        return model.get_encoder() if model.config.is_encoder_decoder else model


def _cut(lengths: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut falling lengths into batches, start and stop, of at most so many tokens with padding."""
    start = 0
    while start < len(lengths):
        stop = min(len(lengths), start + max(1, most // int(lengths[start])))
        yield start, stop
        start = stop


def _first_position(model: Any) -> int:
    """Return where a model starts to count positions: RoBERTa and its kin leave some out for padding."""
    positions = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(positions, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def _features(model: Any, inputs: Any) -> torch.Tensor:
    if hasattr(model, "get_text_features"):
        vectors: torch.Tensor = model.get_text_features(**inputs).pooler_output
        return vectors
    states = model(**inputs).last_hidden_state.float()
    mask = inputs["attention_mask"].unsqueeze(-1)
    mean: torch.Tensor = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
    return mean
