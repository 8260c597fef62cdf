"""Names that people know for the groups of sales: days, months, Booking Partners, activities and venues."""

from collections.abc import AsyncIterator, Iterable
from datetime import date
from urllib.parse import unquote

from openbooking.back_office.formats import format_month, format_short_date
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.matching_keys import names_by_key
from openbooking.booking.views import SalesGroup
from openbooking.web.console.console import ConsoleVisit
from openbooking.web.console.periods import Period

_PAGE = 200
# How many pages of the catalogue and of sales are searched for names.
_MOST_PAGES = 10
_NOT_STATED = "Not stated"


async def group_names(visit: ConsoleVisit, by: SalesGroup, keys: Iterable[str], period: Period) -> dict[str, str]:
    """Return the name of each group.

    Args:
        visit: The visit.
        by: What the sales are grouped by.
        keys: The keys of the groups.
        period: The period of the sales.
    """
    match by:
        case SalesGroup.DAY:
            return {key: format_short_date(date.fromisoformat(key)) for key in keys}
        case SalesGroup.MONTH:
            return {key: format_month(key) for key in keys}
        case SalesGroup.PARTNER:
            partners = await visit.partner_names()
            return {key: partners.get(key, key) for key in keys}
        case _:
            return await published_names(visit, keys, period)


async def published_names(visit: ConsoleVisit, keys: Iterable[str], period: Period) -> dict[str, str]:
    """Return the published name of each activity and venue; the end of its key if no name is known.

    Names are looked for in the catalogue of the Seller, and then in what was sold in the period.
    """
    wanted = set(keys)
    found: dict[str, str] = {}
    if wanted - {""}:
        found = await _names_in_catalogue(visit, wanted)
    if wanted - {""} - found.keys():
        found = await _names_in_sales(visit, wanted, period, found)
    return {key: found.get(key) or _end_of(key) or _NOT_STATED for key in wanted}


async def catalogue(visit: ConsoleVisit) -> AsyncIterator[Opportunity]:
    """Yield the Opportunities of the Seller that have no parent, up to a large number."""
    after: str | None = ""
    for _ in range(_MOST_PAGES):
        page = await visit.views.opportunities(after or "", _PAGE)
        for entry in page.rows:
            yield entry.opportunity
        after = page.next
        if after is None:
            return


async def _names_in_catalogue(visit: ConsoleVisit, wanted: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    async for opportunity in catalogue(visit):
        found |= names_by_key(opportunity)
        if wanted <= found.keys() | {""}:
            break
    return found


async def _names_in_sales(
    visit: ConsoleVisit, wanted: set[str], period: Period, known: dict[str, str]
) -> dict[str, str]:
    """Return the known names, and those of the Opportunities that were sold, as they were booked."""
    found, after = dict(known), ""
    for _ in range(_MOST_PAGES):
        page = await visit.views.sales_lines(period.since, period.until, after, _PAGE)
        for line in (moved.line for moved in page.rows):
            if not (wanted & {line.activity, line.venue} - {""} - found.keys()):
                continue
            occurrence = await visit.views.occurrence(line.opportunity)
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
