"""The part of a model that reads histories, as one module of plain tensors that other programs can trace."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from prism_rec.errors import InputError
from prism_rec.fusion.reading import ItemSet, Reading
from prism_rec.model import SequenceRecommender
from prism_rec.nn.packing import OneBlock


class HistoryEncoder(nn.Module):
    """Padded histories in, the users' side of the score out.

        score(user, item) = id_query . id_key + sum_j share_j * content_query . component_j

    The shares are the weights over the components that the item has; they sum to one if weights are personal.

    Args:
        model: in evaluation mode.
        items: its whole catalogue.
    """

    def __init__(self, model: SequenceRecommender, items: ItemSet) -> None:
        super().__init__()
        self.model = model
        self.items = items
        self.constant_ids = model.has_unknown_ids  # here, because a trace cannot branch on values

    def forward(
        self, items_BL: Int[Tensor, "B L"], lengths_B: Int[Tensor, " B"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encode histories.

        Args:
            items_BL: catalogue rows, the latest `max_length` of each history, oldest first; 0 after the last item.
            lengths_B: numbers of items, at least 1 each.

        Returns:
            id queries [B, Q], content queries [B, D] and weights [B, J].
        """
        # In a set of the whole catalogue, places are rows.
        reading = Reading(self.items, items_BL.flatten(), OneBlock(lengths_B, items_BL.shape[1]))
        users = self.model.encode_last(reading)
        id_query_BQ = self.model.scale_query(self.model.backbone.id_query(users.states))
        if self.constant_ids:
            id_query_BQ = F.pad(id_query_BQ, (0, 1), value=1.0)
        if not self.model.content:
            return id_query_BQ, users.states[:, :0], users.weights[:, :0]
        return id_query_BQ, self.model.content_query(users.states), users.weights


def trace(model: SequenceRecommender, items: ItemSet) -> tuple[ExportedProgram, int | None]:
    """Return the encoder as a program, and the length that histories must be padded to; None: any length.

    Lengths vary freely if the operations allow it. If not, as in a recurrent layer, which is unrolled, they are fixed.

    Args:
        model: in evaluation mode, on the CPU.
        items: its whole catalogue.

    Raises:
        InputError: an operation cannot be traced.
    """
    encoder, longest = HistoryEncoder(model, items).eval(), model.max_length
    fixed, free = {0: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
    reason = ""
    # A dimension that varies is shown by a length that is neither 1 nor the longest.
    for window, shape in ((longest // 2, free), (longest, fixed)):
        if window < 2 and shape is free:
            continue
        example = torch.ones(3, window, dtype=torch.long), torch.full((3,), window)
        try:
            with _quiet():
                program = torch.export.export(encoder, example, dynamic_shapes=(shape, fixed), strict=True)
                program.module()(example[0].new_ones(2, longest), torch.tensor([longest, 1]))
        except Exception as error:  # torch has no common class of what tracing raises
            reason = str(error).strip().partition("\n")[0]
        else:
            return program, None if shape is free else window
    raise InputError(f"the model cannot be traced, so it cannot be exported ({reason:.200})")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the messages of torch about lengths that cannot vary."""
    logger = logging.getLogger("torch._guards")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
