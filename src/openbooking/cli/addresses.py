"""Whether the address that is set is the one that others use, and that what is published carries.

What carries another cannot be booked; and where the address is localhost, nothing asks for TLS.
"""

import msgspec
import structlog
from msgspec.structs import replace

from openbooking.booking.store import Feed, Store
from openbooking.settings import Settings
from openbooking.spec.ids import Identifiers
from openbooking.spec.terms import OpportunityType
from openbooking.system import open_store

# The first may have been deleted.
_A_FEW = 100


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
    """Log a warning if the first item of an open feed carries another address; `openbooking doctor` looks at all."""
    ids = Identifiers(settings.base_uri)
    # A replica that is away is nothing to fail for.
    store = open_store(replace(settings, replica=""))
    try:
        for name in sorted({type_.feed for type_ in OpportunityType}):
            path, published = await _first(store, Feed(name))
            if path and published != (now := ids.opportunity(path)):
                log = structlog.get_logger()
                log.warning("feeds.carry_another_address", published=published, now=now, see="openbooking doctor")
                return
    finally:
        await store.close()


async def _first(store: Store, feed: Feed) -> tuple[str, str]:
    """Path and `@id` of the item of the feed that has not changed for longest."""
    items = await store.feed_items(feed, 0, _A_FEW)
    found = ((item.id, msgspec.json.decode(item.data, type=_Identified).id) for item in items if item.data is not None)
    return next(found, ("", ""))
