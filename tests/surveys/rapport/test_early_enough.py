"""The signal finds declines as early as it did: the quick form of `make bench-signal`."""

from tests.bench_signal import NOISE, QUICK, RECORDED, ratio


def test_declines_are_found_no_later_than_before() -> None:
    """Visits to the alarm, to those of a filter that knows everything, at one false alarm in fifty."""
    assert ratio(QUICK) < RECORDED + NOISE
