"""The number of random examples of a test: few in `make test`, and many with the Hypothesis profile `long`."""

from hypothesis import settings

_SHORT, _LONG = 100, 2_000


def register_profiles() -> None:
    """Register the profiles `short` and `long`."""
    settings.register_profile("short", max_examples=_SHORT, deadline=None)
    settings.register_profile("long", max_examples=_LONG, deadline=None)


def examples(short: int) -> int:
    """Return how many examples a test has that has `short` examples in `make test`."""
    return short * settings().max_examples // _SHORT
