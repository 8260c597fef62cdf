"""The activity log of a Seller, and the history of one Order."""

from datetime import datetime
from functools import cached_property

import msgspec
from sqlalchemy import bindparam, select

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import Page
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.documents import first_activity_id
from openbooking.store.schema import activity
from openbooking.store.statements import first
from openbooking.store.views.cursor import PageRequest, read_cursor
from openbooking.store.views.records import next_cursor

_decode = msgspec.json.Decoder(Activity).decode
# Ids are hexadecimal times, so this is above every id.
_ABOVE_ALL = "g"


class ActivityStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def log(self) -> Statement:
        """:seller :after_id :most → id, document of the entries before that id, newest first."""
        of_seller = activity.c.seller == bindparam("seller")
        found = select(activity.c.id, activity.c.document).where(of_seller, activity.c.id < bindparam("after_id"))
        return self._dialect.compile(first(found.order_by(activity.c.id.desc())))

    @cached_property
    def history(self) -> Statement:
        """:partner :uuid → document of the entries about an Order, oldest first."""
        of_order = (activity.c.partner == bindparam("partner"), activity.c.uuid == bindparam("uuid"))
        return self._dialect.compile(select(activity.c.document).where(*of_order).order_by(activity.c.id))


def list_activity(
    sql: ActivityStatements, seller: str, page: PageRequest, until: datetime | None
) -> Procedure[Page[Activity]]:
    """Return the entries of the Seller before a time, newest first."""
    latest = first_activity_id(until) if until else _ABOVE_ALL
    after = str(read_cursor(page.after, ("",))[0]) if page.after else latest
    after = min(after, latest)
    rows = yield Query(sql.log, {"seller": seller, "after_id": after, "most": page.limit + 1})
    entries = tuple(_decode(document) for _, document in rows[: page.limit])
    return Page(entries, next_cursor([(id_,) for id_, _ in rows], page.limit))


def read_history(sql: ActivityStatements, seller: str, key: OrderKey) -> Procedure[tuple[Activity, ...]]:
    """Return the entries about an Order of the Seller, oldest first."""
    rows = yield Query(sql.history, key._asdict())
    entries = (_decode(document) for (document,) in rows)
    return tuple(entry for entry in entries if entry.seller == seller)
