"""All Orders of one person, for a request of this person to see or to erase the data.

The person is named by an e-mail address or a telephone number. An Order belongs to the request if its Customer has
stated exactly this address or number. Nobody is matched by name (OB-CUST-06, OB-CUST-07), and attendees whom another
Customer has booked are not found.
"""

from datetime import datetime
from typing import Any

import msgspec

from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.search_terms import has_contact, is_contact
from openbooking.booking.views import OrderQuery, SellerViews
from openbooking.user_error import UserError

# The fingerprint of a request and its key serve to recognise a repeated request. They tell nothing about the person.
_TECHNICAL = ("fingerprint", "fingerprint_key")


class NoContactError(UserError):
    """The text is neither an e-mail address nor a telephone number."""

    def __init__(self) -> None:
        super().__init__("Enter a whole e-mail address or telephone number.")


async def orders_of(views: SellerViews, contact: str) -> list[OrderRecord]:
    """Return all Orders of the Seller whose Customer has stated this e-mail address or telephone number.

    Raises:
        NoContactError: The text is neither of them.
    """
    contact = contact.strip()
    if not is_contact(contact):
        raise NoContactError
    found: list[OrderRecord] = []
    after: str | None = ""
    while after is not None:
        page = await views.orders(OrderQuery(text=contact), after)
        found += (record for record in page.rows if has_contact(record.order.personal, contact))
        after = page.next
    return found


async def export_orders(views: SellerViews, orders: list[OrderRecord], made: datetime) -> bytes:
    """Return everything that is stored about Orders as a JSON document: Orders, personal data and history."""
    exported = [
        {
            **_without_technical(msgspec.to_builtins(record, str_keys=True)),
            "history": [msgspec.to_builtins(entry) for entry in await views.history(record.key)],
        }
        for record in orders
    ]
    return msgspec.json.format(msgspec.json.encode({"exported": made, "orders": exported}), indent=2)


def _without_technical(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without its fingerprint."""
    order = record["order"]
    personal = {name: value for name, value in order.get("personal", {}).items() if name not in _TECHNICAL}
    left = {name: value for name, value in record.items() if name not in _TECHNICAL}
    return {**left, "order": {**order, "personal": personal}}
