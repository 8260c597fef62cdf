"""What every test of the commands needs."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Commands run in the process of the tests, and configure its logs."""
    yield
    structlog.reset_defaults()
