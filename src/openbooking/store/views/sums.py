"""Sums of sales, by group and by the treatment of VAT."""

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.views import Amount, PartnerMonth, Sales, SalesGroup, SalesLine, SalesRow, VatRow

_MONTH_CHARACTERS = len("2027-03")


class Movement(NamedTuple):
    """Items that were sold, or cancelled or replaced, at about the same time, and are alike.

    Attributes:
        at: A time on the day of the sale or cancellation, in all time zones whose offset is in quarters of an hour.
        is_sale: Whether they were sold.
        group: The key of the partner, activity or venue; empty for sales by time.
        currency: The currency.
        vat: The VAT treatment.
        rate: The rate of VAT.
        amount: The items.
        refunds: How many of the items have a refund, and what is due for them.
    """

    at: datetime
    is_sale: bool
    group: str
    currency: str | None
    vat: str
    rate: Decimal
    amount: Amount
    refunds: Amount = Amount()


class SalesSums:
    """Adds movements up."""

    def __init__(self, by: SalesGroup, zone: tzinfo) -> None:
        self._by = by
        self._zone = zone
        self._group_of_line = _group_of(by)
        self._rows: dict[tuple[str, str], SalesRow] = {}
        self._vat: dict[tuple[str, Decimal, str], VatRow] = {}

    def add_line(self, moved: SalesLine) -> None:
        """Add one sale or cancellation."""
        line, quantity = moved.line, moved.line.quantity
        movement = Movement(
            at=moved.at,
            is_sale=moved.is_sale,
            group=self._group_of_line(moved.order.partner, line.activity, line.venue),
            currency=line.currency,
            vat=line.vat,
            rate=line.rate,
            amount=Amount(quantity, line.price * quantity, line.tax * quantity),
            refunds=Amount(quantity, line.refund * quantity) if line.refund else Amount(),
        )
        self.add(movement)

    def add(self, moved: Movement) -> None:
        """Add a movement."""
        group = self._group(moved)
        row = self._rows.get((group, moved.currency or ""), SalesRow(group=group, currency=moved.currency))
        key = (moved.vat, moved.rate, moved.currency or "")
        vat = self._vat.get(key, VatRow(vat=moved.vat, rate=moved.rate, currency=moved.currency))
        if moved.is_sale:
            row, vat = replace(row, sold=row.sold + moved.amount), replace(vat, sold=vat.sold + moved.amount)
        else:
            due = row.refund_due + moved.refunds
            row = replace(row, cancelled=row.cancelled + moved.amount, refund_due=due)
            vat = replace(vat, cancelled=vat.cancelled + moved.amount)
        self._rows[group, moved.currency or ""] = row
        self._vat[key] = vat

    def total(self) -> Sales:
        """Return the sums."""
        return Sales(
            tuple(row for _, row in sorted(self._rows.items())),
            tuple(row for _, row in sorted(self._vat.items())),
        )

    def _group(self, moved: Movement) -> str:
        match self._by:
            case SalesGroup.DAY:
                return moved.at.astimezone(self._zone).date().isoformat()
            case SalesGroup.MONTH:
                return month_of(moved.at, self._zone)
            case _:
                return moved.group


class DayKey(NamedTuple):
    """What the sums of a day are grouped by."""

    is_sale: bool
    partner: str
    activity: str
    venue: str
    currency: str | None
    vat: str
    rate: Decimal


class DaySums:
    """Adds sales and cancellations of a day up, by all that sales can be grouped by."""

    def __init__(self) -> None:
        self._sums: dict[DayKey, tuple[Amount, Amount]] = {}

    def add_line(self, moved: SalesLine) -> None:
        """Add one sale or cancellation."""
        line, quantity = moved.line, moved.line.quantity
        key = DayKey(
            is_sale=moved.is_sale,
            partner=moved.order.partner,
            activity=line.activity,
            venue=line.venue,
            currency=line.currency,
            vat=line.vat,
            rate=line.rate,
        )
        amount, refunds = self._sums.get(key, (Amount(), Amount()))
        amount += Amount(quantity, line.price * quantity, line.tax * quantity)
        if line.refund:
            refunds += Amount(quantity, line.refund * quantity)
        self._sums[key] = (amount, refunds)

    def rows(self) -> Iterable[tuple[DayKey, Amount, Amount]]:
        """Yield the sums: the items, and what is due to Customers for them."""
        return ((key, *sums) for key, sums in self._sums.items())


class PartnerSums:
    """Adds Orders up, by partner and month."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._rows: dict[tuple[str, str, str], PartnerMonth] = {}

    def add(self, partner: str, at: datetime, currency: str | None, orders: int, value: Decimal) -> None:
        """Add Orders of a partner that were booked at about the same time."""
        month = month_of(at, self._zone)
        key = (partner, month, currency or "")
        none = PartnerMonth(partner=partner, month=month, currency=currency, orders=0, value=Decimal("0.00"))
        known = self._rows.get(key, none)
        self._rows[key] = replace(known, orders=known.orders + orders, value=known.value + value)

    def total(self) -> tuple[PartnerMonth, ...]:
        """Return the sums, in the order of partners and months."""
        return tuple(row for _, row in sorted(self._rows.items()))


def month_of(at: datetime, zone: tzinfo) -> str:
    """Return the month of an instant in a time zone, as in 2027-03."""
    return at.astimezone(zone).date().isoformat()[:_MONTH_CHARACTERS]


_Grouping = Callable[[str, str, str], str]


def _group_of(by: SalesGroup) -> _Grouping:
    """Return the function from partner, activity and venue to the group; days and months have none."""
    groups: dict[SalesGroup, _Grouping] = {
        SalesGroup.PARTNER: lambda partner, _activity, _venue: partner,
        SalesGroup.ACTIVITY: lambda _partner, activity, _venue: activity,
        SalesGroup.VENUE: lambda _partner, _activity, venue: venue,
    }
    return groups.get(by, lambda _partner, _activity, _venue: "")
