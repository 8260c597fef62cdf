"""Whether what is published carries the address that is set now: what carries another cannot be booked."""

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
