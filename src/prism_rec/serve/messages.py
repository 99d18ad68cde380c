"""The contents of requests and answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=1000)]
Value = str | float | bool


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Bounds(_Message):
    """A condition on the values of a column."""

    min: float | None = None
    """Smallest number."""
    max: float | None = None
    """Largest number."""
    contains: str | None = None
    """A part of the text."""


class Choice(_Message):
    """Which items an answer may have."""

    k: int = Field(10, ge=1, le=1 << 31)
    """Number of items."""
    candidates: list[Id] | None = None
    """Only these items; unknown ones are skipped."""
    exclude: list[Id] | None = None
    """Not these items."""
    where: dict[str, Value | list[Value] | Bounds] | None = None
    """Conditions on columns of the catalogue: a value, a list of values one of which must be equal, or bounds."""

    def conditions(self) -> dict[str, Any]:
        """Return arguments of `Recommender.recommend` and `similar_items`; none if every item is allowed."""
        where = {
            name: value.model_dump(exclude_none=True) if isinstance(value, Bounds) else value
            for name, value in (self.where or {}).items()
        }
        given = {"candidates": self.candidates, "exclude": self.exclude, "where": where or None}
        return {name: value for name, value in given.items() if value is not None}


class RecommendRequest(Choice):
    """For whom items are recommended: histories or users."""

    histories: list[list[Id]] | None = None
    """Lists of item ids, oldest first."""
    users: list[Id] | None = None
    """Ids of users of the run, if the server has them."""
    seen: Literal["remove", "keep"] | None = None
    """Leave out items of the history, or keep them; if not given, as the run was evaluated."""


class RecommendedItem(_Message):
    """An item, and why it has its place."""

    item_id: str
    """Its id."""
    title: str | None = None
    """Its title, if the catalogue has titles."""
    score: float | None
    """Its score; missing if the item was chosen by popularity."""
    contributions: dict[str, float]
    """What `id` and each component add to the score; empty if the item was chosen by popularity."""


class RecommendAnswer(_Message):
    """The items of each history or user, in the order of the request."""

    recommendations: list[list[RecommendedItem]]
    """The best item first. Histories without a known item get popular items."""
    unknown_items: list[str]
    """Items of the histories that the model does not know; they were left out."""
    unknown_users: list[str]
    """Users that the model does not know; they got popular items."""
    version: int
    """Version of the model that answered."""


class ExplainRequest(_Message):
    """A request to explain the score of an item for a history or a user."""

    history: list[Id] | None = None
    """Item ids, oldest first."""
    user: Id | None = None
    """A user of the run, if the server has users."""
    item: Id
    """Any item of the catalogue."""


class SimilarRequest(Choice):
    """The item that others are compared with."""

    item: Id
    """Any item of the catalogue."""


class SimilarItem(_Message):
    """An item that is like another one."""

    item_id: str
    """Its id."""
    title: str | None = None
    """Its title, if the catalogue has titles."""
    similarity: float
    """The cosine."""


class SimilarAnswer(_Message):
    """The items that the model reads most like the given one."""

    similar: list[SimilarItem]
    """Most similar first."""
    version: int
    """Version of the model that answered."""


class ItemsRequest(_Message):
    """Items that came after training."""

    items: list[dict[str, str | float | bool | list[str] | None]] = Field(min_length=1)
    """For each item `item_id` and any columns of the catalogue."""
    features: dict[str, dict[Id, list[float]]] = {}
    """For each modality the vectors by item id. Without them, texts are encoded if the run's encoder is available."""


class ItemsAnswer(_Message):
    """The number of items that were added."""

    added: int
    """Number of items."""
    without_vectors: list[str]
    """Those that have no vector of any modality: they all get the same score."""
    version: int
    """The version that has them; other workers follow within moments."""


class Health(_Message):
    """The model that is served."""

    status: str
    """`ok`."""
    version: int
    """Version of the model."""
    items: int
    """Number of items."""
    components: list[str]
    """The parts of a score."""


class Problem(_Message):
    """Why a request was refused."""

    error: str
    """One line."""
