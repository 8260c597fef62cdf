"""What tests of imports share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.http_system import World, open_world


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System on each store, for which everything is imported in the name of the centre or of others."""
    async with open_world(request.param, tmp_path) as opened:
        yield opened
