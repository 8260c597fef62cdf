"""The end of a second reading of a feed: the Opportunities whose items it no longer shows are withdrawn."""

from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Store
from openbooking.importing.reading.source import Source
from openbooking.importing.sellers import IMPORTER

_AT_ONCE = 200


async def withdraw_missing(store: Store, source: Source, items: AbstractSet[str], paths: AbstractSet[str]) -> int:
    """Withdraw the Opportunities of a feed that a reading of the whole feed did not find, and return their number.

    Args:
        store: The store.
        source: The source of the feed.
        items: The names of the items that the reading found.
        paths: The paths of the Opportunities that the reading published.
    """
    missing: set[str] = set()
    kept: set[str] = set()
    async for member in _published(store, source):
        if member.source not in items and member.path in paths:
            kept.add(member.path)
        elif member.source not in items:
            missing.add(member.source)
    withdrawn = 0
    ordered = sorted(missing)
    for start in range(0, len(ordered), _AT_ONCE):
        some = frozenset(ordered[start : start + _AT_ONCE])
        withdrawn += len(await store.execute(Withdraw(sources=some, keep=frozenset(kept), actor=IMPORTER)))
    return withdrawn


async def _published(store: Store, source: Source) -> AsyncIterator[Opportunity]:
    """Yield all Opportunities that a feed has published."""
    for seller in await store.sellers():
        after = ""
        while some := await store.paths_of_seller(seller.key, after, _AT_ONCE):
            after = some[-1]
            known = await store.execute(GetOpportunities(frozenset(some), actor=IMPORTER))
            for member in known.values():
                if member.source.startswith(f"{source.name}#"):
                    yield member
