"""The words with which pages and commands describe Opportunities, people and states."""

from collections.abc import Iterable, Mapping
from typing import Any

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import FORMER_SYSTEM, MeansOfPayment
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# The name of the front desk where a booking has the name of its partner.
DESK_NAME = "front desk"
MEANS_OF_PAYMENT: Mapping[str, str] = {
    MeansOfPayment.CASH: "Cash",
    MeansOfPayment.CARD: "Card",
    MeansOfPayment.OTHER: "Another way",
}
# Payments that nobody takes at the front desk are described, too.
PAYMENTS: Mapping[str, str] = {**MEANS_OF_PAYMENT, FORMER_SYSTEM: "Paid in the former system"}
ITEM_STATUSES = {
    OrderItemStatus.CONFIRMED: "booked",
    OrderItemStatus.CUSTOMER_CANCELLED: "cancelled by the customer",
    OrderItemStatus.SELLER_CANCELLED: "cancelled by you",
    OrderItemStatus.ATTENDED: "attended",
    OrderItemStatus.ABSENT: "absent",
}
ORDER_STATUSES = {
    OrderStatus.BOOKED: "booked",
    OrderStatus.PARTLY_CANCELLED: "partly cancelled",
    OrderStatus.CANCELLED: "cancelled",
}
PROPOSAL_STATUSES = {
    OrderProposalStatus.AWAITING: "waits for your decision",
    OrderProposalStatus.ACCEPTED: "accepted, not booked yet",
    OrderProposalStatus.SELLER_REJECTED: "rejected by you",
    OrderProposalStatus.CUSTOMER_REJECTED: "withdrawn by the customer",
}


def opportunity_name(opportunity: Opportunity, parents: Iterable[Opportunity]) -> str:
    """Return the published name of an Opportunity or of its nearest parent with a name, else the key in its path."""
    names = (member.properties.get("name") for member in (opportunity, *parents))
    return next((str(name) for name in names if name), opportunity.path.rpartition("/")[2])


def place_name(opportunity: Opportunity, parents: Iterable[Opportunity]) -> str:
    """Return the name of the place where an Opportunity happens; empty if no name is published."""
    places = (member.properties.get("location") for member in (opportunity, *parents))
    return next((str(place["name"]) for place in places if isinstance(place, Mapping) and place.get("name")), "")


def person_name(person: Mapping[str, Any] | None) -> str:
    """Return the name of a Person or Organization as a Broker sent it; empty if it has no name."""
    if not person:
        return ""
    parts = (person.get("givenName"), person.get("familyName"))
    return " ".join(str(part) for part in parts if part) or str(person.get("name") or "")
