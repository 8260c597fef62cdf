"""The page of the feeds from which the Seller's Opportunities are imported."""

from datetime import timedelta

import pytest

from openbooking.identity.import_records import FollowedFeed
from support.builders import NOW
from support.console import SignIn
from support.http_system import World
from support.parties import CENTRE, STUDIO

pytestmark = pytest.mark.anyio

PAGE = "/console/imports"
FEED = FollowedFeed(
    source="https://provider.example.com/sessions",
    since=NOW - timedelta(days=2),
    seller=CENTRE.key,
    items=12_345,
    waiting=3,
    current_at=NOW - timedelta(hours=3),
    fault="it was answered with status 500",
    failures=2,
    next_try=NOW + timedelta(minutes=30),
)


async def test_feeds_that_are_followed_for_the_seller_are_shown(world: World, sign_in: SignIn) -> None:
    await world.identity.save(FEED)
    page = await (await sign_in("ann")).open(PAGE)
    for text in (
        FEED.source,
        "up to date 3 hours ago. The last try failed: it was answered with status 500",
        "12,345",
        "3 waiting for their series or facility",
        "Mon 1 Mar 2027 12:30",
    ):
        assert text in page.text


@pytest.mark.parametrize("named", [True, False])
async def test_feeds_of_other_sellers_are_not_shown(world: World, sign_in: SignIn, named: bool) -> None:
    feed = FollowedFeed(source="https://other.example.com/", since=NOW, seller=STUDIO.key if named else None)
    await world.identity.save(feed)
    page = await (await sign_in("ann")).open(PAGE)
    assert "No feed is followed for" in page.text
    assert "other.example.com" not in page.text
