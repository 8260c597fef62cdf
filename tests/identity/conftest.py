"""Fixtures for all tests of identity."""

import pytest

from support.identity_provider import Desk


@pytest.fixture
async def desk() -> Desk:
    """A provider in memory, with users and partners."""
    return await Desk().open()
