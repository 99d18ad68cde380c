from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.report.scale import make_scale

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


@settings(deadline=None, max_examples=200)
@given(low=NUMBERS, size=st.floats(1e-4, 1e3))
def test_ticks_cover_the_values_and_read_differently(low: float, size: float) -> None:
    scale = make_scale(low, low + size, 10, 110)
    slack = 1e-6 * (scale.high - scale.low)
    assert scale.low - slack <= low
    assert low + size <= scale.high + slack
    assert list(scale.ticks) == sorted(scale.ticks)
    assert 2 <= len(scale.ticks) <= 8
    labels = [scale.label(tick) for tick in scale.ticks]
    assert len(set(labels)) == len(labels)
    assert (scale(scale.low), scale(scale.high)) == (10, 110)


def test_values_that_are_all_equal_have_a_scale_too() -> None:
    scale = make_scale(0, 0, 0, 100)
    assert (scale.low, scale.high) == (0, 1)
    assert [scale.label(tick) for tick in scale.ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
