"""A running other Booking System, and a Broker that books at it."""

from collections.abc import Iterator

import pytest

from support.other_system.caller import Caller, calling


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as found:
        yield found
