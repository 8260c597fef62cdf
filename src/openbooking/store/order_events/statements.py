"""The statements of the queue of order events. `SaveStatements.save_bookings` adds events to the queue.

Each docstring lists the parameters and, after the arrow, the columns of the result.
"""

from functools import cached_property

from sqlalchemy import ColumnElement, String, bindparam, delete, exists, func, literal_column, or_, select, update

from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import event_delivery, order_event
from openbooking.store.statements import first

_SAME_EVENT = (order_event.c.number == bindparam("number"), order_event.c.id == bindparam("id"))
_ONLY_ROW: ColumnElement[str] = literal_column("'order-events'", String)


class EventQueueStatements:
    """The statements. Indexes find the due events, and the events of one Order."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def keep_until(self) -> Statement:
        """:until → nothing. Adds the row of `event_delivery`, or sets until when events are kept."""
        new = self._dialect.insert(
            event_delivery,
            {
                "name": _ONLY_ROW,
                "kept_until": bindparam("until", type_=event_delivery.c.kept_until.type),
                "holder": literal_column("''"),
                "held_until": literal_column("0"),
            },
        )
        values = {"kept_until": new.excluded.kept_until}
        return self._dialect.compile(new.on_conflict_do_update(index_elements=[event_delivery.c.name], set_=values))

    @cached_property
    def take_over(self) -> Statement:
        """:holder :now :until :latest → one row if the holder has the right to tell events now.

        A right that lasts longer than :latest was taken before the clock was turned back.
        """
        held_until = event_delivery.c.held_until
        has_ended = or_(held_until < bindparam("now"), held_until > bindparam("latest"))
        is_free = or_(event_delivery.c.holder == bindparam("holder"), has_ended)
        taken = update(event_delivery).where(is_free).values(holder=bindparam("holder"), held_until=bindparam("until"))
        return self._dialect.compile(taken.returning(event_delivery.c.name))

    @cached_property
    def release(self) -> Statement:
        """:holder → nothing."""
        held = update(event_delivery).where(event_delivery.c.holder == bindparam("holder"))
        return self._dialect.compile(held.values(held_until=literal_column("0")))

    @cached_property
    def due(self) -> Statement:
        """:now :most → number, id, attempts, document of the oldest event of each Order, if it is due."""
        earlier = order_event.alias("earlier")
        is_first = ~exists(
            select(literal_column("1")).where(
                earlier.c.partner == order_event.c.partner,
                earlier.c.uuid == order_event.c.uuid,
                earlier.c.number < order_event.c.number,
            )
        )
        found = select(order_event.c.number, order_event.c.id, order_event.c.attempts, order_event.c.document)
        due = found.where(order_event.c.due_at <= bindparam("now"), is_first)
        return self._dialect.compile(first(due.order_by(order_event.c.due_at, order_event.c.number)))

    @cached_property
    def remove(self) -> Statement:
        """:number :id → nothing. SQLite gives the number of a removed event to another one, so both are compared."""
        return self._dialect.compile(delete(order_event).where(*_SAME_EVENT))

    @cached_property
    def postpone(self) -> Statement:
        """:number :id :until → nothing."""
        found = update(order_event).where(*_SAME_EVENT)
        later = found.values(due_at=bindparam("until"), attempts=order_event.c.attempts + literal_column("1"))
        return self._dialect.compile(later)

    @cached_property
    def figures(self) -> Statement:
        """→ how many events wait, with how many `on_committed` has failed, the time of the oldest."""
        failing = func.count().filter(order_event.c.attempts > literal_column("0"))
        return self._dialect.compile(select(func.count(), failing, func.min(order_event.c.at)).select_from(order_event))

    @cached_property
    def forget(self) -> Statement:
        """:now :most → the numbers of the removed events, if the time until which events are kept has passed."""
        is_kept = exists(select(literal_column("1")).where(event_delivery.c.kept_until > bindparam("now")))
        chosen = first(select(order_event.c.number).where(~is_kept).order_by(order_event.c.number))
        removed = delete(order_event).where(order_event.c.number.in_(chosen))
        return self._dialect.compile(removed.returning(order_event.c.number))
