"""The end of a second reading of a feed: the Opportunities whose items it no longer shows are withdrawn."""

from collections.abc import Set as AbstractSet

from openbooking.booking.commands.find_opportunities import GetOpportunities
from openbooking.booking.commands.withdraw import Withdraw
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
    withdrawn = 0
    for seller in await store.sellers():
        after = ""
        while some := await store.paths_of_seller(seller.key, after, _AT_ONCE):
            after = some[-1]
            known = await store.execute(GetOpportunities(frozenset(some), actor=IMPORTER))
            missing = {
                member.source
                for path, member in known.items()
                if member.source.startswith(f"{source.name}#") and member.source not in items and path not in paths
            }
            if missing:
                withdraw = Withdraw(sources=frozenset(missing), keep=frozenset(paths), actor=IMPORTER)
                withdrawn += len(await store.execute(withdraw))
    return withdrawn
