"""A provider, in memory."""

import pytest

from support.identity_provider import Desk


@pytest.fixture
async def desk() -> Desk:
    """A provider with people and partners."""
    return await Desk().open()
