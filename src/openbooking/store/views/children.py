"""The stored Opportunities directly below a parent."""

from functools import cached_property

from sqlalchemy import ColumnElement, bindparam, select

from openbooking.booking.model.opportunity import Opportunity
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.documents import decode_opportunity, microseconds
from openbooking.store.schema import opportunity
from openbooking.store.statements import first
from openbooking.store.views.cursor import Period


class ChildrenStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the rows."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def undated(self) -> Statement:
        """:seller :parent :most → the documents of the children without a start, in the order of their paths."""
        found = select(opportunity.c.document).where(*_below(), opportunity.c.starts.is_(None))
        return self._dialect.compile(first(found.order_by(opportunity.c.path)))

    @cached_property
    def dated(self) -> Statement:
        """:seller :parent :since :until :most → the documents of the first children that start in a period."""
        in_period = (opportunity.c.starts >= bindparam("since"), opportunity.c.starts < bindparam("until"))
        found = select(opportunity.c.document).where(*_below(), *in_period)
        return self._dialect.compile(first(found.order_by(opportunity.c.starts, opportunity.c.path)))


def list_children(
    sql: ChildrenStatements, seller: str, parent: str, period: Period, limit: int
) -> Procedure[tuple[Opportunity, ...]]:
    """Return the children of a parent: those that are not booked themselves, and the first ones in the period."""
    asked = {"seller": seller, "parent": parent, "most": limit}
    times = {"since": microseconds(period.since), "until": microseconds(period.until)}
    undated = yield Query(sql.undated, asked)
    dated = yield Query(sql.dated, {**asked, **times})
    parents = [decode_opportunity(document) for (document,) in undated]
    return (
        *(parent for parent in parents if not (parent.withdrawn or parent.type.bookable)),
        *(decode_opportunity(document) for (document,) in dated),
    )


def _below() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return opportunity.c.parent == bindparam("parent"), opportunity.c.seller == bindparam("seller")
