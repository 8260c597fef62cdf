"""Whether the address that is set is the one that others use, and that what is published carries.

What carries another cannot be booked; and where the address is localhost, nothing asks for TLS.
"""

from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from openbooking.booking.store import Feed, Store
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.rpde import PAGE_SIZE
from openbooking.settings import Settings
from openbooking.system import open_store
from openbooking.user_error import UserError


class AddressMismatchError(UserError):
    """The open feeds carry `@id`s of another address than the one of the settings."""


class _Identified(msgspec.Struct, rename={"id": "@id"}):
    id: str = ""


def warn_of_local_address(settings: Settings) -> None:
    """Log a warning if others may come to a site that is said to be on localhost: they are given secrets without TLS.

    It is no error, for in a container it may be that nobody can come but through a proxy on the same machine.
    """
    if settings.local_but_open:
        log = structlog.get_logger()
        log.warning("site.is_local_but_open", site=settings.site, host=settings.host, set="OPENBOOKING_SITE_URL")


async def warn_of_another_address(settings: Settings) -> None:
    """Log a warning if the open feeds carry another address; `openbooking doctor` counts the items that do."""
    # A replica that is away is nothing to fail for.
    store = open_store(replace(settings, replica=""))
    try:
        found = await _another_address(store, Identifiers(settings.base_uri))
    finally:
        await store.close()
    if found:
        log = structlog.get_logger()
        log.warning("feeds.carry_another_address", **found._asdict(), see="openbooking feed republish")


async def check_address(store: Store, ids: Identifiers) -> None:
    """Compare the address of the settings with that of the open feeds. A database without feed items has none yet.

    Raises:
        AddressMismatchError: The open feeds carry another address, so nobody could book what is published at this one.
    """
    found = await _another_address(store, ids)
    if found:
        raise AddressMismatchError(
            f"The feeds carry another address than the one that is set: {found.published} would be {found.now} now. "
            "Set site_url and api_path as they were; or if the address is to change for good, run "
            "`openbooking feed republish`."
        )


class _AnotherAddress(NamedTuple):
    """The `@id` of a feed item, and what it would be at the address that is set."""

    published: str
    now: str


async def _another_address(store: Store, ids: Identifiers) -> _AnotherAddress | None:
    """The first item of an open feed that carries another address, if the first of any feed does."""
    for name in sorted({type_.feed for type_ in OpportunityType}):
        path, published = await _first(store, Feed(name))
        if path and published != (now := ids.opportunity(path)):
            return _AnotherAddress(published, now)
    return None


async def _first(store: Store, feed: Feed) -> tuple[str, str]:
    """Path and `@id` of the item of the feed that has not changed for longest and is not deleted, or nothing."""
    after = 0
    while items := await store.feed_items(feed, after, PAGE_SIZE):
        for item in items:
            if item.data is not None:
                return item.id, msgspec.json.decode(item.data, type=_Identified).id
        after = items[-1].modified
    return "", ""
