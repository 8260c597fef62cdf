"""Orders of the other Booking System, and the documents that show them."""

from decimal import Decimal
from typing import Any, NamedTuple

from support.other_system.catalogue import (
    ATTENDEE_DETAILS,
    DETAILS,
    QUESTIONS,
    SELLERS,
    Opportunity,
    offer,
    opportunity,
    prepayment_property,
)
from support.other_system.differences import Differences
from support.other_system.spelling import OPENACTIVE, Reference, Verbatim, without_none

CONFIRMED, PROPOSED = f"{OPENACTIVE}OrderItemConfirmed", f"{OPENACTIVE}OrderItemProposed"
CUSTOMER_CANCELLED, SELLER_CANCELLED = f"{OPENACTIVE}CustomerCancelled", f"{OPENACTIVE}SellerCancelled"
ATTENDED = f"{OPENACTIVE}CustomerAttended"
AWAITING, ACCEPTED = f"{OPENACTIVE}AwaitingSellerConfirmation", f"{OPENACTIVE}SellerAccepted"
SELLER_REJECTED, CUSTOMER_REJECTED = f"{OPENACTIVE}SellerRejected", f"{OPENACTIVE}CustomerRejected"
COLLECTIONS = {"OrderQuote": "order-quotes", "OrderProposal": "order-proposals", "Order": "orders"}

_SERVICE = {"@type": "BookingService", "name": "Overture Bookings", "url": "https://overture.example/"}


class OrderItem(NamedTuple):
    """An item of an Order; `sent` is the item of the request."""

    id: str
    sent: dict[str, Any]
    found: Opportunity | None
    price: Decimal = Decimal(0)
    status: str = CONFIRMED
    errors: tuple[dict[str, Any], ...] = ()
    message: str = ""
    notice: str = ""
    has_changed: bool = False

    @property
    def is_cancelled(self) -> bool:
        return self.status in (CUSTOMER_CANCELLED, SELLER_CANCELLED)

    @property
    def is_counted(self) -> bool:
        """Whether the item counts in the total (OB-VAL-12)."""
        incomplete = ("IncompleteAttendee", "IncompleteIntake")
        return not self.is_cancelled and all(error["@type"].startswith(incomplete) for error in self.errors)


class Order(NamedTuple):
    """An OrderQuote, OrderProposal or Order.

    Attributes:
        type: The class.
        url: The Base URI, with a slash at the end.
        sent: The body of the request, with the payment of the last request.
        request: The body of the request that made this Order, whose repeat is recognised.
        version: The `orderProposalVersion`; empty if this was never an OrderProposal.
        reply: The reply to the request that made this Order.
    """

    uuid: str
    type: str
    url: str
    sent: dict[str, Any]
    items: tuple[OrderItem, ...]
    number: str = ""
    version: str = ""
    status: str = ""
    note: str = ""
    request: dict[str, Any] | None = None
    reply: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        return f"{self.url}{COLLECTIONS[self.type]}/{self.uuid}"

    @property
    def total(self) -> Decimal:
        return sum((item.price for item in self.items if item.is_counted), Decimal(0))

    def prepayment(self, differences: Differences) -> str:
        """Return whether a payment is needed (OB 7.6): an empty text for a free Order."""
        counted = [item.found for item in self.items if item.found and item.price and item.is_counted]
        if not differences.prepayment:
            return "Required" if counted else ""
        wanted = {found.prepayment or "Required" for found in counted}
        return next((value for value in ("Required", "Optional", "Unavailable") if value in wanted), "")

    @property
    def needs_approval(self) -> bool:
        return any(f"{OPENACTIVE}OpenBookingApproval" in item.found.requirements for item in self.items if item.found)


def order_document(order: Order, differences: Differences, *, positions: bool = True) -> dict[str, Any]:
    """Return a reply to C1, C2, P or B, or the reply of Order Status."""
    items = [_item_document(order, item, differences, positions=positions) for item in order.items]
    sent = {name: Verbatim(order.sent[name]) for name in ("broker", "customer") if name in order.sent}
    return without_none(
        **{"@type": order.type, "@id": order.id},
        orderNumber=order.number if order.type == "Order" else None,
        brokerRole=order.sent.get("brokerRole"),
        **sent,
        seller=SELLERS[seller_id(order.sent)],
        bookingService=_SERVICE,
        orderRequiresApproval=order.needs_approval if order.type == "OrderQuote" else None,
        orderProposalVersion=order.version if order.type == "OrderProposal" else None,
        orderProposalStatus=_proposal_status(order, differences),
        orderedItem=items[::-1] if differences.item_order == "reversed" else items,
        payment=Verbatim(order.sent["payment"]) if "payment" in order.sent and order.type != "OrderQuote" else None,
        **_totals(order, differences),
    )


def feed_document(order: Order, differences: Differences) -> dict[str, Any]:
    """Return the `data` of an Order or OrderProposal in a feed (OB 8.4.4)."""
    return without_none(
        **{"@type": order.type, "@id": order.id},
        identifier=order.uuid if differences.feed_identifier else None,
        orderedItem=[_feed_item(order, item, differences) for item in order.items],
        orderProposalVersion=order.version if order.type == "OrderProposal" else None,
        orderProposalStatus=_proposal_status(order, differences),
        orderSellerNote=order.note if order.type == "OrderProposal" else None,
        **_totals(order, differences),
    )


def seller_id(sent: dict[str, Any]) -> str:
    """Return the `@id` of the Seller that a request names."""
    return id_of(sent.get("seller"))


def id_of(reference: Any) -> str:
    """Return the `@id` of a reference in a request, which is a text or an object (OB-MT-16)."""
    found = reference.get("@id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else ""


def _totals(order: Order, differences: Differences) -> dict[str, Any]:
    """Return the total. `taxCalculationExcluded` says that prices include tax, and how much is not shown."""
    currency = {"priceCurrency": "GBP"} if any(item.found and item.found.price for item in order.items) else {}
    needed = prepayment_property(order.prepayment(differences), differences)
    due = {"@type": "PriceSpecification", "price": order.total, **currency, **needed}
    return {"totalPaymentDue": due, "taxCalculationExcluded": True}


def _proposal_status(order: Order, differences: Differences) -> str | list[str] | None:
    if order.type != "OrderProposal":
        return None
    return [order.status] if differences.proposal_status_list else order.status


def _item_document(order: Order, item: OrderItem, differences: Differences, *, positions: bool) -> dict[str, Any]:
    in_quote, in_proposal = order.type == "OrderQuote", order.type == "OrderProposal"
    in_prose = in_proposal and differences.proposal_items == "prose"
    has_state = not (in_quote or item.errors or (in_proposal and not in_prose))
    return without_none(
        **{"@type": "OrderItem", "@id": None if in_quote or in_prose or item.errors else item.id},
        position=item.sent.get("position") if positions else None,
        orderItemStatus=_status(order, item) if has_state else None,
        acceptedOffer=_offer(item, differences),
        orderedItem=_opportunity(item, differences, spaces=in_quote),
        attendee=Verbatim(item.sent["attendee"]) if "attendee" in item.sent else None,
        orderItemIntakeFormResponse=[Verbatim(answer) for answer in item.sent.get("orderItemIntakeFormResponse", ())],
        **(_questions(item, differences) if in_quote else {}),
        **(_access(item, differences) if has_state and not in_proposal else {}),
        cancellationMessage=item.message,
        error=list(item.errors),
    )


def _feed_item(order: Order, item: OrderItem, differences: Differences) -> dict[str, Any]:
    found = item.found
    if found is None:
        raise ValueError(f"{item.id} has no Opportunity")
    known = {"@type": "OrderItem", "@id": item.id}
    if order.type == "Order" or differences.proposal_items == "prose":
        known["orderItemStatus"] = _status(order, item)
    if differences.feed_unchanged_items == "brief" and not item.has_changed:
        return known
    full = differences.feed_opportunities == "full"
    return without_none(
        **known,
        acceptedOffer=_offer(item, differences),
        orderedItem=_opportunity(item, differences, spaces=False) if full else Reference(found.type, found.id),
        **(_access(item, differences) if order.type == "Order" else {}),
        cancellationMessage=item.message,
        customerNotice=item.notice,
    )


def _status(order: Order, item: OrderItem) -> str:
    return PROPOSED if order.type == "OrderProposal" and not item.is_cancelled else item.status


def _offer(item: OrderItem, differences: Differences) -> Any:
    """Return the Offer at the price of the item, or what the Broker sent if the item has no Opportunity."""
    sent = item.sent.get("acceptedOffer")
    if item.found:
        return offer(item.found._replace(price=item.price), differences)
    return Verbatim(sent) if sent else None


def _opportunity(item: OrderItem, differences: Differences, *, spaces: bool) -> Any:
    sent = item.sent.get("orderedItem")
    if item.found:
        return opportunity(item.found, differences, spaces=spaces)
    return Verbatim(sent) if sent else None


def _questions(item: OrderItem, differences: Differences) -> dict[str, Any]:
    if item.found is None or item.found.requirements != DETAILS:
        return {}
    questions = list(QUESTIONS)
    if differences.flag_texts:
        questions = [asked | ({"valueRequired": "true"} if "valueRequired" in asked else {}) for asked in questions]
    return {"attendeeDetailsRequired": list(ATTENDEE_DETAILS), "orderItemIntakeForm": questions}


def _access(item: OrderItem, differences: Differences) -> dict[str, Any]:
    """Return how the attendee gets in, if the item is a Slot (OB-ACC-01)."""
    if item.found is None or not item.found.is_slot or item.is_cancelled:
        return {}
    code, with_beta = item.id[-4:], differences.context == "list"
    name = {"name": "PIN"} if differences.access_code_names else {}
    return {
        "accessCode": [{"@type": "PropertyValue", **name, "description": code}],
        "accessPass": [
            {"@type": "Barcode", "text": code, **({"beta:codeType": "code128"} if with_beta else {})},
            {"@type": "ImageObject", "url": "https://overture.example/pass.png"},
        ],
    }
