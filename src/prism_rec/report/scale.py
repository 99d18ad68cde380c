"""Numbers to places on a chart."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels, with round values to mark."""

    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[float, ...]
    step: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def label(self, tick: float) -> str:
        """Return a tick's number with the decimals that the step needs."""
        decimals = max(0, -math.floor(math.log10(self.step)))
        return f"{tick:.{decimals}f}"


def make_scale(low: float, high: float, begin: float, end: float, intervals: int = 5) -> Scale:
    """Return a scale that covers `low` to `high` and begins and ends at a round value.

    Args:
        low: the smallest value.
        high: the largest; where it is not above `low`, the scale is one wide.
        begin: the pixel of the lower end.
        end: the pixel of the upper end.
        intervals: about how many there are to be between the ticks.
    """
    if not high > low:
        high = low + 1
    rough = (high - low) / intervals
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], begin, end, ticks, step)
