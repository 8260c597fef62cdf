"""The list of the Opportunities that have no parent."""

from datetime import datetime

from openbooking.booking.rules.orders.search_terms import normal_name
from openbooking.booking.views import CatalogueEntry, Page
from openbooking.store.database import Procedure, Query
from openbooking.store.documents import decode_opportunity, microseconds
from openbooking.store.views.cursor import PageRequest, read_cursor, write_cursor
from openbooking.store.views.results import name_of
from openbooking.store.views.statements import ViewStatements

# How many names are compared with a text for one page.
_SCANNED = 500


def list_catalogue(
    sql: ViewStatements, seller: str, now: datetime, text: str, page: PageRequest
) -> Procedure[Page[CatalogueEntry]]:
    """Return the Opportunities that have no parent, in the order of their paths."""
    (after,) = read_cursor(page.after, ("",)) if page.after else ("",)
    wanted = normal_name(text)
    most = max(_SCANNED, page.limit + 1) if wanted else page.limit + 1
    rows = yield Query(sql.catalogue, {"seller": seller, "after": after, "most": most})
    items = [decode_opportunity(document) for (document,) in rows]
    found = [item for item in items if not item.withdrawn and wanted in normal_name(name_of(item))]
    shown = found[: page.limit]
    asked = {"paths": [item.path for item in shown], "now": microseconds(now)}
    coming: dict[str, int] = {}
    for path, number in (yield Query(sql.coming, asked)) if shown else ():
        coming[path] = int(number)
    cursor = None
    if len(found) > len(shown):
        cursor = write_cursor((shown[-1].path,))
    elif len(items) == most:
        cursor = write_cursor((items[-1].path,))
    return Page(tuple(CatalogueEntry(opportunity=item, coming=coming.get(item.path, 0)) for item in shown), cursor)
