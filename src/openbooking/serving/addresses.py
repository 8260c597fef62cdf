"""Checks of the public address of the settings against the published feeds and the listening address.

Items that were published at another address cannot be booked. A site on localhost is not required to use TLS.
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
from openbooking.system import opened_store
from openbooking.user_error import UserError


class AddressMismatchError(UserError):
    """The open feeds contain `@id`s of another address than that of the settings."""


class _Identified(msgspec.Struct, rename={"id": "@id"}):
    id: str = ""


def warn_of_local_address(settings: Settings) -> None:
    """Log a warning if a site at a localhost address listens on other addresses, which would send secrets without TLS.

    This is no error: in a container the only way to the server may be a proxy on the same machine.
    """
    if settings.local_but_open:
        log = structlog.get_logger()
        log.warning("site.is_local_but_open", site=settings.site, host=settings.host, set="OPENBOOKING_SITE_URL")


async def warn_of_another_address(settings: Settings) -> None:
    """Log a warning if the open feeds contain another address; `openbooking doctor` counts these items."""
    # A replica that does not answer must not stop the server.
    async with opened_store(replace(settings, replica="")) as store:
        found = await _another_address(store, Identifiers(settings.base_uri))
    if found:
        log = structlog.get_logger()
        log.warning("feeds.carry_another_address", **found._asdict(), see="openbooking feed republish")


async def check_address(store: Store, ids: Identifiers) -> None:
    """Compare the address of the settings with that of the open feeds, if they have items.

    Raises:
        AddressMismatchError: The open feeds contain another address, so items of the present address would not match.
    """
    found = await _another_address(store, ids)
    if found:
        raise AddressMismatchError(
            f"The feeds contain another address than the one that is set: {found.published} would be {found.now} now. "
            "Set site_url and api_path as they were; or if the address is to change for good, run "
            "`openbooking feed republish`."
        )


class _AnotherAddress(NamedTuple):
    """The `@id` of a feed item, and its `@id` at the address of the settings."""

    published: str
    now: str


async def _another_address(store: Store, ids: Identifiers) -> _AnotherAddress | None:
    """Return the first item of a feed if it has another address; None if the first item of no feed has."""
    for name in OPEN_FEEDS:
        path, published = await _first(store, Feed(name))
        if path and published != (now := ids.opportunity(path)):
            return _AnotherAddress(published, now)
    return None


async def _first(store: Store, feed: Feed) -> tuple[str, str]:
    """Return path and `@id` of the oldest item of a feed that is not deleted; empty texts if there is none."""
    after = 0
    while items := await store.feed_items(feed, after, PAGE_SIZE):
        for item in items:
            if item.data is not None:
                return item.id, msgspec.json.decode(item.data, type=_Identified).id
        after = items[-1].modified
    return "", ""
