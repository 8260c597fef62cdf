"""A Booking System behind HTTP, on each store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.testing.postgres import PostgresServer
from support.approval_flow import DIVE, PARTY, TRIP
from support.browsers.form_browser import Visitor
from support.http_system import World, open_world
from support.parties import CENTRE, MANAGER

TERMS = [
    {
        "@type": "PrivacyPolicy",
        "name": "Privacy Policy",
        "url": "https://example.com/privacy",
        "requiresExplicitConsent": False,
    }
]


@pytest.fixture(autouse=True)
def people_sign_in_quickly(quick_passwords: None) -> None:
    """Hash passwords quickly in all of these tests."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def world_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings for each kind of store."""
    if request.param != "postgresql":
        return {"store_kind": request.param}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"store_kind": request.param, "database": server.new_database()}


@pytest.fixture
async def world(world_settings: dict[str, str], tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System on each store."""
    async with open_world(folder=tmp_path, **world_settings) as opened:
        yield opened


@pytest.fixture
async def sqlite_world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System on SQLite alone, for tests that do not depend on the store."""
    async with open_world("sqlite", tmp_path) as opened:
        yield opened


@pytest.fixture
async def approving(world: World) -> World:
    """A Booking System on each store, with Opportunities that need the approval of their Seller."""
    for family in (TRIP, PARTY, DIVE):
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
    return world


@pytest.fixture
async def testable(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with the test interface, whose first Seller has terms."""
    async with open_world("sqlite", tmp_path, test_interface=True) as opened:
        seller = replace(CENTRE, properties={**CENTRE.properties, "termsOfService": TERMS})
        await opened.store.execute(PublishSeller(seller, actor=MANAGER))
        yield opened


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with an OpenID provider."""
    async with open_world("sqlite", tmp_path, access="openid") as opened:
        yield opened


@pytest.fixture
def visitor(provider: World) -> Visitor:
    """A browser without cookies."""
    return Visitor(provider.client)
