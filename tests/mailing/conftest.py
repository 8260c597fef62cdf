"""A mail server, and a Booking System in memory whose staff can be told of proposals."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from support.approval_flow import PARTY, TRIP
from support.http_system import World, open_world
from support.parties import MANAGER
from support.servers.smtp_server import SmtpServer, running_smtp_server


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    """A mail server."""
    async with running_smtp_server() as server:
        yield server


@pytest.fixture
async def quiet_world(tmp_path: Path, quick_passwords: None) -> AsyncIterator[World]:
    """A Booking System without a mail server in its settings: it sends nothing by itself."""
    async with open_world("memory", tmp_path) as world:
        world.judged = False
        for family in (TRIP, PARTY):
            await world.store.execute(Publish(tuple(family), actor=MANAGER))
        yield world
