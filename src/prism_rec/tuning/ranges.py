"""The values that a setting may have in a search: a range or a choice."""

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.errors import SettingsError

Value = bool | int | float | str | None


class Suggests(Protocol):
    """The part of an Optuna trial that names values; it names the same value again for the same key."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number between both ends."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number between both ends."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of the choices."""


class _Range(Config):
    low: float
    """The lowest value."""
    high: float
    """The highest value."""

    @model_validator(mode="after")
    def _rises(self) -> "_Range":
        if not self.low < self.high:
            raise SettingsError(f"low {self.low} is not below high {self.high}; change one of them")
        return self

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that are checked before the search: if a run accepts them, it accepts all others."""
        return self.low, self.high


class Uniform(_Range):
    """A number; all numbers are equally likely."""

    kind: Literal["uniform"]
    """How the values are given."""

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_float(key, self.low, self.high)


class LogUniform(_Range):
    """A positive number; all orders of magnitude are equally likely."""

    kind: Literal["log_uniform"]
    """How the values are given."""
    low: float = Field(gt=0)
    """The lowest value, above 0."""

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_float(key, self.low, self.high, log=True)


class Integer(_Range):
    """A whole number, both ends included."""

    kind: Literal["int"]
    """How the values are given."""
    low: int
    """The lowest value."""
    high: int
    """The highest value."""

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_int(key, self.low, self.high)


class Choice(Config):
    """One of several values."""

    kind: Literal["choice"]
    """How the values are given."""
    values: tuple[Value, ...] = Field(min_length=2)
    """The values to choose from, at least two."""

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that are checked before the search: if a run accepts them, it accepts all others."""
        return self.values

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        value: Value = trial.suggest_categorical(key, self.values)
        return value


Range = Annotated[Uniform | LogUniform | Integer | Choice, Field(discriminator="kind")]
