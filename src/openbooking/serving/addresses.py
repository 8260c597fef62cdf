"""Checks of the public address of the settings against the published feeds and the listening address.

Opportunities whose feed items have another address cannot be booked. A site on localhost need not use TLS.
"""

from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from openbooking.booking.store import Feed, Store
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.openactive.rpde import PAGE_SIZE
from openbooking.settings import Settings
from openbooking.system import use_store
from openbooking.user_error import UserError


class AddressMismatchError(UserError):
    """The `@id`s in the open feeds have another address than the settings."""


class _Identified(msgspec.Struct, rename={"id": "@id"}):
    id: str = ""


def warn_of_local_address(settings: Settings) -> None:
    """Log a warning if a site on localhost also listens to other machines, because secrets would be sent without TLS.

    This is a warning and no error: in a container, a proxy on the same machine may be the only client.
    """
    if settings.local_but_open:
        log = structlog.get_logger()
        log.warning("site.is_local_but_open", site=settings.site, host=settings.host, set="OPENBOOKING_SITE_URL")


async def warn_of_another_address(settings: Settings) -> None:
    """Log a warning if the open feeds contain another address. `openbooking doctor` counts the items."""
    # Without the replica, because a replica that does not answer must not stop the server.
    async with use_store(replace(settings, replica="")) as store:
        found = await find_another_address(store, Identifiers(settings.base_uri))
    if found:
        log = structlog.get_logger()
        log.warning("feeds.carry_another_address", **found._asdict(), see="openbooking feed republish")


async def check_address(store: Store, ids: Identifiers) -> None:
    """Compare the address of the settings with the address in the open feeds, unless the feeds are empty.

    Raises:
        AddressMismatchError: The open feeds contain another address, which new items would not match.
    """
    found = await find_another_address(store, ids)
    if found:
        raise AddressMismatchError(
            f"The feeds contain another address than the settings: {found.published} would now be {found.now}. "
            "Set OPENBOOKING_SITE_URL and OPENBOOKING_API_PATH to the values of the server. To change the address "
            "permanently, run `openbooking feed republish`."
        )


class AnotherAddress(NamedTuple):
    """The `@id` of a feed item, and its `@id` at the address of the settings."""

    published: str
    now: str


async def find_another_address(store: Store, ids: Identifiers) -> AnotherAddress | None:
    """Return the first item of the first feed whose first item has another address; None if there is none."""
    for name in OPEN_FEEDS:
        path, published = await _first_item(store, Feed(name))
        if path and published != (now := ids.opportunity(path)):
            return AnotherAddress(published, now)
    return None


async def _first_item(store: Store, feed: Feed) -> tuple[str, str]:
    """Return path and `@id` of the oldest item of a feed that is not deleted; two empty texts if there is none."""
    after = 0
    while items := await store.feed_items(feed, after, PAGE_SIZE):
        for item in items:
            if item.data is not None:
                return item.id, msgspec.json.decode(item.data, type=_Identified).id
        after = items[-1].modified
    return "", ""
