"""A ledger of sales that knows only what replies of the booking API have said. It imports nothing of the project.

An item counts as sold when it was booked, and as cancelled when it was cancelled. A replaced item counts as cancelled,
and its replacement as sold, at the time of the replacement, however often it is replaced. A deleted Order counts as
never sold. What was paid in advance and is cancelled, or replaced by something that costs less, is to
be refunded.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
NOTHING = Decimal(0)


class Sale(NamedTuple):
    """What an item was sold as."""

    opportunity: str
    activity: str
    venue: str
    price: Decimal
    tax: Decimal
    vat: str
    currency: str


class Payment(NamedTuple):
    """An amount that was paid at the front desk, or a negative one that was given back."""

    at: datetime
    amount: Decimal
    means: str


class Movement(NamedTuple):
    """An item that was sold or cancelled, and what is to be refunded for it."""

    at: datetime
    partner: str
    is_sale: bool
    sale: Sale
    refund: Decimal

    @property
    def day(self) -> str:
        """The date in London."""
        return self.at.astimezone(LONDON).date().isoformat()


@dataclass
class Item:
    """An item of an Order; `sold` has what it was sold as, and when: at B, and at each replacement."""

    sold: list[tuple[datetime, Sale]]
    cancelled_at: datetime | None = None

    @property
    def booked(self) -> Sale:
        """What was booked."""
        return self.sold[0][1]

    @property
    def current(self) -> Sale:
        """What it is now."""
        return self.sold[-1][1]


@dataclass
class Account:
    """An Order."""

    partner: str
    booked_at: datetime
    is_paid: bool
    items: list[Item] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)

    def movements(self) -> list[Movement]:
        """Return everything that was sold and cancelled.

        What was paid later at the front desk, and is not due any more, is given back when items are cancelled.
        """
        moved = list(self._full())
        if self.is_paid:
            return moved
        given = NOTHING
        for at in sorted({each.at for each in moved if not each.is_sale}):
            paid = sum((payment.amount for payment in self.payments if payment.at <= at), NOTHING)
            signed = (each.sale.price * (1 if each.is_sale else -1) for each in moved if each.at <= at)
            left = max(paid - given - sum(signed, NOTHING), NOTHING)
            for place, each in enumerate(moved):
                if each.at == at and not each.is_sale:
                    refund = min(each.refund, left)
                    moved[place] = each._replace(refund=refund)
                    left, given = left - refund, given + refund
        return moved

    def till(self) -> Iterator[Payment]:
        """Yield what was paid at the front desk and, as negative amounts, what was given back, the latest first."""
        at_once = [Payment(self.booked_at, sum((item.booked.price for item in self.items), NOTHING), "Card")]
        payments = [*(at_once if self.is_paid else []), *self.payments]
        yield from payments
        left = [payment.amount for payment in payments]
        for moved in sorted(self.movements(), key=lambda each: each.at):
            back = NOTHING if moved.is_sale else moved.refund
            for place in reversed(range(len(payments))):
                part = min(left[place], back) if payments[place].at <= moved.at else NOTHING
                left[place], back = left[place] - part, back - part
                yield Payment(moved.at, -part, payments[place].means)

    def _full(self) -> Iterator[Movement]:
        for item in self.items:
            for at, sale in item.sold:
                yield self._movement(at, sale, is_sale=True)
            for (_, before), (at, after) in pairwise(item.sold):
                yield self._movement(at, before, refund=before.price - after.price)
            if item.cancelled_at:
                yield self._movement(item.cancelled_at, item.current, refund=item.current.price)

    def _movement(self, at: datetime, sale: Sale, *, is_sale: bool = False, refund: Decimal = NOTHING) -> Movement:
        return Movement(at, self.partner, is_sale, sale, refund)

    def due(self) -> Decimal:
        """Return the total of the items that are not cancelled."""
        return sum((item.current.price for item in self.items if not item.cancelled_at), NOTHING)


Sums = dict[str, tuple[Decimal, ...]]


class Ledger:
    """The Orders of one Seller, by partner and UUID."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], Account] = {}

    def observe(self, at: datetime, partner: str, uuid: str, order: dict[str, Any]) -> None:
        """Note what a reply says about an Order after a change at this time."""
        net = order["seller"]["taxMode"].endswith("TaxNet")
        sales = [_sale(item, net=net) for item in order["orderedItem"]]
        account = self.accounts.get((partner, uuid))
        if account is None:
            account = self.accounts[partner, uuid] = Account(partner, at, "payment" in order)
            account.items = [Item([(at, sale)]) for sale in sales]
        for item, sale, said in zip(account.items, sales, order["orderedItem"], strict=True):
            if sale != item.current:
                item.sold.append((at, sale))
            if said["orderItemStatus"].endswith("Cancelled") and not item.cancelled_at:
                item.cancelled_at = at

    def book(self, partner: str, uuid: str, at: datetime, quote: dict[str, Any], *, is_paid: bool) -> None:
        """Note an Order that no reply shows, of the items that a quote shows."""
        net = quote["seller"]["taxMode"].endswith("TaxNet")
        account = self.accounts[partner, uuid] = Account(partner, at, is_paid)
        account.items = [Item([(at, sale)]) for sale in (_sale(item, net=net) for item in quote["orderedItem"])]

    def forget(self, partner: str, uuid: str) -> None:
        """Forget a deleted Order."""
        del self.accounts[partner, uuid]

    def takings(self) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
        """Return, for each day and means of payment, what was paid at the front desk and what was given back."""
        sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
        desk = (account for (partner, _), account in self.accounts.items() if partner == "@desk")
        for paid in (each for account in desk for each in account.till() if each.amount):
            key = (paid.at.astimezone(LONDON).date().isoformat(), paid.means)
            taken, back = sums.get(key, (NOTHING, NOTHING))
            sums[key] = (taken + max(paid.amount, NOTHING), back + max(-paid.amount, NOTHING))
        return sums

    def replacements(self) -> Counter[int]:
        """Return the numbers of items, by how often they were replaced."""
        return Counter(len(item.sold) - 1 for account in self.accounts.values() for item in account.items)

    def movements(self) -> list[Movement]:
        """Return everything that was sold and cancelled."""
        return [movement for account in self.accounts.values() for movement in account.movements()]

    def sales(self, group: Callable[[Movement], str]) -> Sums:
        """Return, for each group and currency, the number, price and tax of what was sold, the same of what was
        cancelled, and the number and sum of refunds.
        """
        sums: Sums = {}
        for moved in self.movements():
            one = (Decimal(1), moved.sale.price, moved.sale.tax)
            none = (NOTHING,) * 3
            refund = (Decimal(bool(moved.refund)), moved.refund)
            added = (*(one if moved.is_sale else none), *(none if moved.is_sale else one), *refund)
            key = f"{group(moved)} {moved.sale.currency}"
            sums[key] = tuple(a + b for a, b in zip(sums.get(key, (NOTHING,) * 8), added, strict=True))
        return sums


def _sale(item: dict[str, Any], *, net: bool) -> Sale:
    """Return what an item of a reply is sold as."""
    taxes = item.get("unitTaxSpecification", [])
    tax = sum((_decimal(charge["price"]) for charge in taxes), NOTHING)
    offer = item["acceptedOffer"]
    price = _decimal(offer["price"]) + (tax if net else NOTHING)
    thing = item["orderedItem"]
    family = [thing, *([thing["superEvent"]] if "superEvent" in thing else [])]
    return Sale(
        opportunity=thing["@id"],
        activity=next((each["activity"][0]["prefLabel"] for each in family if "activity" in each), "Not stated"),
        venue=next((each["location"]["name"] for each in family if "location" in each), "Not stated"),
        price=price,
        tax=tax,
        vat=taxes[0]["name"] if taxes else "No tax stated",
        currency=offer.get("priceCurrency", "") if price else "",
    )


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
