"""An Order with personal data, and the erasure of this data at the end of its retention period."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.commands.orders.erase_personal_data import RETENTION, ErasePersonalData
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from support.builders import NOW, after, book, item, on_demand_event, request, session, situation
from support.proposals import KEY

YOGA = session("yoga", capacity=5, access=AccessRules(code=True))
LATER = session("later", capacity=5, start=NOW + timedelta(days=90), end=None)
VIDEO = on_demand_event("video")
PASS = {"@type": "Barcode", "text": "member-1"}
TOLD = {"attendee": {"@type": "Person", "email": "ann@example.com"}, "access_passes": (PASS,)}
LONG_AFTER = NOW + timedelta(days=365)


def asked_for(*families: list[Opportunity]) -> OrderRequest:
    items = [replace(item(family, position), **TOLD) for position, family in enumerate(families)]
    prices = [offer.price for family in families for opportunity in family for offer in opportunity.offers]
    return request(*items, total_payment_due=sum(prices, Decimal(0)))


def booked(*families: list[Opportunity]) -> Situation:
    return after(situation(YOGA, LATER, VIDEO), book(asked_for(*families)))


BY_RETENTION = Stamp(RETENTION, LONG_AFTER)


def record_in(where: Situation) -> Record:
    return where.records[KEY]


def erased(where: Situation, over_before: datetime) -> Situation:
    return after(replace(where, now=LONG_AFTER, touched=frozenset()), ErasePersonalData(over_before=over_before))
