"""All Orders and OrderProposals of one person, for a request of this person to see or to erase the data.

The person is named by an e-mail address or a telephone number. A record belongs to the request if its Customer or an
attendee has exactly this address or number. Nobody is matched by name (OB-CUST-06, OB-CUST-07).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.search_terms import CUSTOMER, is_contact, numbers_of
from openbooking.booking.views import OrderQuery, Page, SellerViews
from openbooking.user_error import UserError

PersonalRecord = OrderRecord | ProposalRecord
Found = TypeVar("Found", OrderRecord, ProposalRecord)

# The fingerprint of a request and its key serve to recognise a repeated request. They tell nothing about the person.
_TECHNICAL = ("fingerprint", "fingerprint_key")


class NoContactError(UserError):
    """The text is neither an e-mail address nor a telephone number."""

    def __init__(self) -> None:
        super().__init__("Enter a whole e-mail address or telephone number.")


async def orders_of(views: SellerViews, contact: str) -> list[PersonalRecord]:
    """Return all Orders and OrderProposals of the Seller with this e-mail address or telephone number.

    Raises:
        NoContactError: The text is neither of them.
    """
    contact = contact.strip()
    if not is_contact(contact):
        raise NoContactError
    orders = await _read_all(lambda after: views.orders(OrderQuery(text=contact), after))
    proposals = await _read_all(lambda after: views.proposals_of(contact, after))
    found: list[PersonalRecord] = [*orders, *proposals]
    return [record for record in found if numbers_of(record.order.personal, contact)]


async def export_orders(views: SellerViews, records: list[PersonalRecord], contact: str, made: datetime) -> bytes:
    """Return everything that is stored about a person as a JSON document.

    Records whose Customer is the person are complete, with their history. Of other records, only the items are included
    that the person attends.

    Args:
        views: The views of the Seller.
        records: The Orders and OrderProposals of the person.
        contact: The e-mail address or telephone number of the person.
        made: The time of the export.
    """
    exported: dict[str, list[dict[str, Any]]] = {"orders": [], "proposals": [], "attended": []}
    for record in records:
        numbers = numbers_of(record.order.personal, contact.strip())
        if CUSTOMER in numbers:
            history = [msgspec.to_builtins(entry) for entry in await views.history(record.key)]
            stored = _without_technical(msgspec.to_builtins(record, str_keys=True))
            kind = "orders" if isinstance(record, OrderRecord) else "proposals"
            exported[kind].append({**stored, "history": history})
        else:
            exported["attended"].append(_attended(record, numbers))
    return msgspec.json.format(msgspec.json.encode({"exported": made, **exported}), indent=2)


async def _read_all(view: Callable[[str], Awaitable[Page[Found]]]) -> list[Found]:
    found: list[Found] = []
    after: str | None = ""
    while after is not None:
        page = await view(after)
        found += page.rows
        after = page.next
    return found


def _attended(record: PersonalRecord, numbers: frozenset[int]) -> dict[str, Any]:
    """Return the items of a record that a person attends, with what the Broker sent about the person."""
    personal = record.order.personal or PersonalData()
    return {
        "partner": record.partner,
        "uuid": record.uuid,
        "kind": record.kind,
        "seller": record.seller,
        "items": [
            {
                "item": msgspec.to_builtins(item),
                "state": msgspec.to_builtins(state),
                "attendee": personal.attendees.get(item.number),
                "intake_answers": personal.intake_answers.get(item.number, ()),
            }
            for item, state in record.items()
            if item.number in numbers
        ],
    }


def _without_technical(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without its fingerprint."""
    order = record["order"]
    personal = {name: value for name, value in order.get("personal", {}).items() if name not in _TECHNICAL}
    left = {name: value for name, value in record.items() if name not in _TECHNICAL}
    return {**left, "order": {**order, "personal": personal}}
