"""Names that people know for the groups of sales: days, months, Booking Partners, activities and venues."""

from collections.abc import Iterable
from datetime import date

from openbooking.back_office.formats import format_month, format_short_date
from openbooking.back_office.names import published_names
from openbooking.booking.views import SalesGroup
from openbooking.web.console.console import ConsoleVisit
from openbooking.web.console.periods import Period


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
            return await published_names(visit.views, keys, period.since, period.until)
