"""Order events: what has happened to Orders and OrderProposals, for the code of an embedder (`on_committed`).

An event names the Order, its items and the actor. It has no personal data: code that needs personal data reads the
Order, so that erased data is not kept in events.
"""

from datetime import datetime

import msgspec

from openbooking.booking.model.actor import Actor
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus


class EventItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item of an Order as it is after the event.

    Attributes:
        number: The number of the item in its Order.
        opportunity: The path of the Opportunity.
        status: The status of the item.
        replaced: The path of the Opportunity that the item had before, if the event has replaced it by another one.
    """

    number: int
    opportunity: str
    status: OrderItemStatus = OrderItemStatus.CONFIRMED
    replaced: str | None = None


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """The base of the events; each type of event has a class.

    Attributes:
        id: The identity of the event. An event that is told twice has the same id.
        at: The time of the decision.
        actor: The actor who gave the command.
        order: The key of the Order or OrderProposal.
        seller: The key of the Seller.
        items: The items that the event is about.
    """

    id: str
    at: datetime
    actor: Actor
    order: OrderKey
    seller: str
    items: tuple[EventItem, ...] = ()


class OrderBooked(OrderEvent, frozen=True, tag="booked"):
    """An Order was booked. It has all items of the Order."""


class OrderChanged(OrderEvent, frozen=True, tag="changed"):
    """Items of an Order were replaced or moved, or got a notice or another access code; or a payment was recorded.

    It has the items that have changed.
    """


class OrderCancelled(OrderEvent, frozen=True, tag="cancelled"):
    """Items of an Order were cancelled, by the Customer or by the Seller. It has these items."""


class AttendanceRecorded(OrderEvent, frozen=True, tag="attendance"):
    """It was recorded whether attendees came, or the record was undone. It has the items with another status."""


class OrderDeleted(OrderEvent, frozen=True, tag="deleted"):
    """An Order was deleted. It has the items whose spaces are free again."""


class OrderProposed(OrderEvent, frozen=True, tag="proposed"):
    """An OrderProposal was made. It has all items of the OrderProposal."""


class ProposalChanged(OrderEvent, frozen=True, kw_only=True, omit_defaults=True, tag="proposal-changed"):
    """An OrderProposal was accepted, rejected, amended or withdrawn, or the Seller has written a note.

    It has all items of the OrderProposal.

    Attributes:
        status: The status of the OrderProposal.
    """

    status: OrderProposalStatus


class PersonalDataErased(OrderEvent, frozen=True, tag="erased"):
    """Personal data of an Order was erased. Copies of the data must be erased too.

    It has the items whose attendees were erased; none if all personal data of the Order was erased.
    """


# Any event, for decoders.
AnyOrderEvent = (
    OrderBooked
    | OrderChanged
    | OrderCancelled
    | AttendanceRecorded
    | OrderDeleted
    | OrderProposed
    | ProposalChanged
    | PersonalDataErased
)
