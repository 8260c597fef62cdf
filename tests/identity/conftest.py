"""A provider, in memory."""

import pytest

from desk import Desk


@pytest.fixture
def anyio_backend() -> str:
    """The only event loop there is."""
    return "asyncio"


@pytest.fixture
async def desk() -> Desk:
    """A provider with people and partners."""
    return await Desk().open()
