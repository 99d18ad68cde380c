"""What a setting may be: a range, or a choice."""

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.errors import InputError

Value = bool | int | float | str | None


class Suggests(Protocol):
    """What a trial of Optuna does: name a value, the same whenever it is asked for the same key."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number between both ends."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number between both ends."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of the choices."""


class _Range(Config):
    low: float
    high: float

    @model_validator(mode="after")
    def _rises(self) -> "_Range":
        if not self.low < self.high:
            raise InputError(f"tune.space: low: {self.low} is not below high: {self.high}; mend either")
        return self

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that a run has to accept for all of them to be worth trying."""
        return self.low, self.high


class Uniform(_Range):
    """A number, any as likely as another."""

    kind: Literal["uniform"]

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_float(key, self.low, self.high)


class LogUniform(_Range):
    """A positive number, any order of magnitude as likely as another."""

    kind: Literal["log_uniform"]
    low: float = Field(gt=0)

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_float(key, self.low, self.high, log=True)


class Integer(_Range):
    """A whole number, both ends included."""

    kind: Literal["int"]
    low: int
    high: int

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        return trial.suggest_int(key, self.low, self.high)


class Choice(Config):
    """One of several values."""

    kind: Literal["choice"]
    values: tuple[Value, ...] = Field(min_length=2)

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that a run has to accept for all of them to be worth trying."""
        return self.values

    def suggest(self, trial: Suggests, key: str) -> Value:
        """Return the trial's value."""
        value: Value = trial.suggest_categorical(key, self.values)
        return value


Range = Annotated[Uniform | LogUniform | Integer | Choice, Field(discriminator="kind")]
