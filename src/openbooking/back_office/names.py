"""The names that people know: of Booking Partners, activities and venues."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from urllib.parse import unquote

from openbooking.back_office.descriptions import DESK_NAME
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.matching_keys import names_by_key
from openbooking.booking.views import SellerViews
from openbooking.identity.records import EVERY_SELLER, Grant, Partner
from openbooking.identity.store import IdentityStore

_PAGE = 200
# How many pages of the catalogue and of sales are searched for names.
_MOST_PAGES = 10
_NOT_STATED = "Not stated"


async def partner_names(store: IdentityStore, seller: str) -> dict[str, str]:
    """Return the names of the front desk and of the partners with a grant of the Seller, now or earlier, by key."""
    grants = [*await store.find(Grant, seller=seller), *await store.find(Grant, seller=EVERY_SELLER)]
    granted = {grant.partner for grant in grants}
    return {DESK: DESK_NAME, **{each.key: each.name for each in await store.find(Partner) if each.key in granted}}


async def published_names(views: SellerViews, keys: Iterable[str], since: datetime, until: datetime) -> dict[str, str]:
    """Return the published name of each activity and venue; the end of its key if no name is known.

    Names are looked for in the catalogue of the Seller, and then in what was sold in the period.

    Args:
        views: The views of the Seller.
        keys: The keys of the activities and venues.
        since: The beginning of the period.
        until: The end of the period.
    """
    wanted = set(keys)
    found: dict[str, str] = {}
    if wanted - {""}:
        found = await _names_in_catalogue(views, wanted)
    if wanted - {""} - found.keys():
        found = await _names_in_sales(views, wanted, (since, until), found)
    return {key: found.get(key) or _end_of(key) or _NOT_STATED for key in wanted}


async def catalogue(views: SellerViews) -> AsyncIterator[Opportunity]:
    """Yield the Opportunities of the Seller that have no parent, up to a large number."""
    after: str | None = ""
    for _ in range(_MOST_PAGES):
        page = await views.opportunities(after or "", _PAGE)
        for entry in page.rows:
            yield entry.opportunity
        after = page.next
        if after is None:
            return


async def _names_in_catalogue(views: SellerViews, wanted: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    async for opportunity in catalogue(views):
        found |= names_by_key(opportunity)
        if wanted <= found.keys() | {""}:
            break
    return found


async def _names_in_sales(
    views: SellerViews, wanted: set[str], period: tuple[datetime, datetime], known: dict[str, str]
) -> dict[str, str]:
    """Return the known names, and those of the Opportunities that were sold, as they were booked."""
    found, after = dict(known), ""
    for _ in range(_MOST_PAGES):
        page = await views.sales_lines(*period, after, _PAGE)
        for line in (moved.line for moved in page.rows):
            if not (wanted & {line.activity, line.venue} - {""} - found.keys()):
                continue
            occurrence = await views.occurrence(line.opportunity)
            # A name that is not found is not looked for again.
            found |= {line.activity: "", line.venue: "", **found}
            if occurrence:
                found |= _names([*reversed(occurrence.parents), occurrence.opportunity])
        if page.next is None or wanted <= found.keys() | {""}:
            break
        after = page.next
    return found


def _names(opportunities: Iterable[Opportunity]) -> dict[str, str]:
    names: dict[str, str] = {}
    for opportunity in opportunities:
        names |= names_by_key(opportunity)
    return names


def _end_of(key: str) -> str:
    """Return the last part of a key that is a URL; other keys are names already."""
    if "://" not in key:
        return key
    return unquote(key.rstrip("/#").replace("#", "/").rpartition("/")[2]) or key
