"""Fixtures of the tests of imports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.http_system import World, open_world


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System on each store."""
    async with open_world(request.param, tmp_path) as opened:
        yield opened
