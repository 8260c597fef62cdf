"""A replacement of a booked item that was replaced in turn, as the sums of sales need it."""

from datetime import datetime
from decimal import Decimal

import msgspec

from openbooking.booking.model.actor import Stamp


class FormerItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an item was sold as between two replacements. It holds no personal data.

    Attributes:
        opportunity: The path of the Opportunity.
        starts: The start of the Opportunity; None if it has none.
        sold: The stamp of the replacement by which it was sold; None if that is unknown.
        price: The price, with tax.
        tax: The tax in the price, as the Order stated it.
        currency: The currency; None for a price of 0.
        vat: The VAT treatment; empty if the Order stated no tax.
        rate: The rate of VAT as a fraction; 0 if the Order stated no tax.
        activity: The key of the first activity; empty if none is known.
        venue: The key of the venue; empty if none is known.
    """

    opportunity: str
    starts: datetime | None = None
    sold: Stamp | None = None
    price: Decimal
    tax: Decimal
    currency: str | None = None
    vat: str = ""
    rate: Decimal = Decimal(0)
    activity: str = ""
    venue: str = ""
