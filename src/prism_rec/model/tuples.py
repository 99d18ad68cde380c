"""What a model hands out: items, user states and keys, each computed once and used in several places."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor

from prism_rec.fusion.base import Features, Parts, Seen


class ItemSet(NamedTuple):
    """Some distinct items with all that depends on them alone; made once a step, used everywhere in it."""

    rows_I: Int[Tensor, " I"]
    place_N: Int[Tensor, " N"]  # catalogue row -> place among the I; meaningless for other rows
    features: Features
    ids_IV: Float[Tensor, "I V"]  # one vector of D for each stream of the backbone, side by side
    parts: Parts
    seen: Seen  # those that may stand in a history
    evidence_IE: Float[Tensor, "I E"]  # what the fusion's gate sees of them; zero for the others


class UserStates(NamedTuple):
    """What is known of users: states of the backbone and the gate's weights beside them."""

    states: Float[Tensor, "*P S"]
    weights: Float[Tensor, "*P J"]
    recent: Int[Tensor, "*P L"]  # catalogue rows of the latest items that count, the latest first; L may be 0


class KeyGroup(NamedTuple):
    """Items that have the same components, ready to meet queries in one matrix product."""

    rows_I: Int[Tensor, " I"]
    keys_IK: Float[Tensor, "I K"]
    present_J: Bool[Tensor, " J"]
