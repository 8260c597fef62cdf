"""The queries of the people who work for a Seller. Views change, lock and decide nothing.

A view sees one Seller. There are no customer records: a search finds Orders, and nobody is matched with another Order
(OB-CUST-06, OB-CUST-07).

Lists come in pages. A page can be shorter than its limit, or empty, although others follow; only `next` says whether
the list has ended.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey, Payment
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
from openbooking.booking.rules.orders.order_lines import OrderLine, OrderStatus
from openbooking.openactive.money import ZERO

Row = TypeVar("Row")

PAGE_ROWS = 50


class InvalidCursorError(ValueError):
    """The cursor is not one that this view has returned."""


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """A page of a list, and the cursor of the next page; None if this page is the last one."""

    rows: tuple[Row, ...] = ()
    next: str | None = None


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """An Opportunity that Customers book, at its date.

    Attributes:
        opportunity: The Opportunity as it is stored, or as it was booked if it is no longer stored.
        parents: Its parents, nearest first.
        is_stored: Whether the Opportunity is still stored. Orders keep an Opportunity that was removed.
        booked: The number of spaces that are sold and not cancelled.
        leased: The number of spaces that are held.
        elsewhere: The number of spaces that other software of the operator has sold.
        proposals: The number of OrderProposals for it that await the Seller.
    """

    opportunity: Opportunity
    parents: tuple[Opportunity, ...] = ()
    is_stored: bool = True
    booked: int = 0
    leased: int = 0
    elsewhere: int = 0
    proposals: int = 0

    @property
    def path(self) -> str:
        """The path of the Opportunity."""
        return self.opportunity.path

    @property
    def sold(self) -> int:
        """The number of spaces that are sold, here and elsewhere."""
        return self.booked + self.elsewhere

    @property
    def capacity(self) -> int | None:
        """The number of spaces that this system may sell."""
        return self.opportunity.capacity


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a search for Orders. An Order is found if it matches all fields that are set.

    Attributes:
        text: The beginning of a given name, of a family name or of the name of an organisation, without regard to case
            and accents. Or a whole e-mail address or telephone number. These are the Customer's or an attendee's. Or a
            whole Order UUID.
        partner: The key of the Booking Partner.
        booked_from: The Order was booked then or later.
        booked_before: The Order was booked before then.
        session_from: The Order has an item that starts then or later, and before `session_before`.
        session_before: The Order has an item that starts before then, and not before `session_from`.
        status: The status of the Order.
        value_from: The total of the items that are not cancelled is at least this.
        value_to: The total of the items that are not cancelled is at most this.
    """

    text: str = ""
    partner: str = ""
    booked_from: datetime | None = None
    booked_before: datetime | None = None
    session_from: datetime | None = None
    session_before: datetime | None = None
    status: OrderStatus | None = None
    value_from: Decimal | None = None
    value_to: Decimal | None = None


class Amount(msgspec.Struct, frozen=True):
    """A number of items, their price with tax, and the tax in it as far as the Orders state it."""

    count: int = 0
    price: Decimal = ZERO
    tax: Decimal = ZERO

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.count + other.count, self.price + other.price, self.tax + other.tax)


class SalesGroup(StrEnum):
    """What sales are grouped by."""

    DAY = "day"
    MONTH = "month"
    PARTNER = "partner"
    ACTIVITY = "activity"
    VENUE = "venue"


class SalesRow(msgspec.Struct, frozen=True, kw_only=True):
    """The sales of one group in one currency.

    Attributes:
        group: The date (2027-03-01), the month (2027-03), or the key of the partner, activity or venue; an Opportunity
            of several activities belongs to the first.
        currency: The currency; None if nothing had a price.
        sold: What was sold, also if it was cancelled later.
        cancelled: What was cancelled or replaced.
        refund_due: What Brokers owe Customers because it was cancelled, or replaced by something that costs less. It
            has no tax of its own.
    """

    group: str
    currency: str | None
    sold: Amount = Amount()
    cancelled: Amount = Amount()
    refund_due: Amount = Amount()


class VatRow(msgspec.Struct, frozen=True, kw_only=True):
    """The sales at one treatment of VAT in one currency; `vat` is empty where the Orders state no tax.

    Attributes:
        vat: The VAT treatment (`openbooking.openactive.money.VatTreatment`).
        rate: The rate as a fraction of the net price: 0.2 for 20 %.
        currency: The currency; None if nothing had a price.
        sold: What was sold, also if it was cancelled later.
        cancelled: What was cancelled or replaced.
    """

    vat: str
    rate: Decimal
    currency: str | None
    sold: Amount = Amount()
    cancelled: Amount = Amount()


class Sales(msgspec.Struct, frozen=True):
    """Sales by group, in the order of the groups, and by the treatment of VAT."""

    rows: tuple[SalesRow, ...] = ()
    vat: tuple[VatRow, ...] = ()


class SalesLine(msgspec.Struct, frozen=True, kw_only=True):
    """One sale or cancellation of equal items of an Order.

    Attributes:
        at: When they were sold or cancelled.
        order: The key of the Order.
        is_sale: Whether they were sold, or else cancelled or replaced.
        line: The items. Its `refund` is due for a cancellation only.
    """

    at: datetime
    order: OrderKey
    is_sale: bool
    line: OrderLine


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the Broker has stated about the payment of an Order, beside what is due for it.

    Attributes:
        order: The key of the Order.
        booked_at: When it was booked.
        payment: The payment details.
        currency: The currency; None if nothing had a price.
        booked: The total at B.
        due: The total of the items that are not cancelled.
        refund_due: What the Broker owes the Customer.
    """

    order: OrderKey
    booked_at: datetime
    payment: Payment
    currency: str | None
    booked: Decimal
    due: Decimal
    refund_due: Decimal


class PartnerMonth(msgspec.Struct, frozen=True, kw_only=True):
    """The Orders of a Booking Partner that were booked in one month, in one currency.

    Attributes:
        partner: The key of the Booking Partner.
        month: The month: 2027-03.
        currency: The currency; None for Orders without a price.
        orders: The number of Orders.
        value: The total of their items that are not cancelled.
    """

    partner: str
    month: str
    currency: str | None
    orders: int
    value: Decimal


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An Opportunity without a parent: a series, a facility, or an event on its own.

    Attributes:
        opportunity: The Opportunity, with its sale state.
        coming: The number of Opportunities below it that Customers book and that start in the future.
    """

    opportunity: Opportunity
    coming: int = 0


class SellerViews(Protocol):
    """The views of one Seller. No view shows anything of another one.

    Args of all lists:
        after: The cursor of the page before; empty for the first page.
        limit: The largest number of rows.

    Every list raises InvalidCursorError for a cursor that it has not returned, and every view raises
    StoreUnavailableError if the database does not answer.
    """

    async def occurrences(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[Occurrence]:
        """Return the Opportunities that start from `since` to before `until`, in the order of their starts.

        An Opportunity that is no longer stored is included if an Order has a current item of it.
        """
        ...

    async def occurrence(self, path: str) -> Occurrence | None:
        """Return one occurrence of the Seller, stored or known from Orders only; None if there is none."""
        ...

    async def children(
        self, parent: str, since: datetime, until: datetime, limit: int = PAGE_ROWS
    ) -> tuple[Opportunity, ...]:
        """Return the stored Opportunities directly below a parent, on sale or not.

        Those that are not booked themselves, such as the courts of a facility, come first, in the order of their paths.
        Then come the first ones that start from `since` to before `until`, in the order of their starts. Each of both
        lists has at most `limit` members.
        """
        ...

    async def bookings(self, path: str, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders with an item of the Opportunity, also a cancelled one, in the order of their keys.

        The current item counts, after a replacement.
        """
        ...

    async def proposals(self, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals that await the Seller; that whose lifetime ends first comes first."""
        ...

    async def proposals_of(self, text: str, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals in which a name, e-mail address or telephone number is found, also closed ones.

        The text is read as that of an OrderQuery, and the order is the same. An OrderProposal without personal data is
        not found.
        """
        ...

    async def orders(self, query: OrderQuery, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders that the query finds, also withheld ones.

        The Order that was booked last comes first. With a text they are in the order of the names found, and with the
        time of a session in the order of the sessions.
        """
        ...

    async def order(self, key: OrderKey) -> Record | None:
        """Return an Order, OrderProposal or deleted Order; None if the Seller has none with that key."""
        ...

    async def history(self, key: OrderKey) -> tuple[Activity, ...]:
        """Return the entries of the activity log about one Order or OrderProposal, oldest first."""
        ...

    async def activity(self, after: str = "", limit: int = PAGE_ROWS, until: datetime | None = None) -> Page[Activity]:
        """Return the activity log of the Seller, newest first; only the entries before `until`, if it is given."""
        ...

    async def sales(self, since: datetime, until: datetime, by: SalesGroup, zone: tzinfo) -> Sales:
        """Return what was sold and cancelled from `since` to before `until`.

        Sold counts at the time of B, and a cancellation at its own time. A replaced item counts as cancelled, and its
        replacement as sold, at the time of the replacement. Later replacements do not change earlier periods. A deleted
        Order counts as never sold. Orders whose time of B is unknown are in no period.

        Args:
            since: The beginning of the period.
            until: The end of the period.
            by: What the rows are grouped by.
            zone: The time zone of days and months.
        """
        ...

    async def sales_lines(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return each sale and each cancellation that `sales` counts, in the order of their times."""
        ...

    async def cancellations(
        self, partner: str, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return the cancellations among `sales_lines` in the Orders of one Booking Partner or the front desk."""
        ...

    async def payments(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[PaymentRow]:
        """Return the payments of the Orders booked from `since` to before `until`; the last booked comes first.

        An Order without payment details has no row.
        """
        ...

    async def partners(self, since: datetime, until: datetime, zone: tzinfo) -> tuple[PartnerMonth, ...]:
        """Return the Orders booked from `since` to before `until`, by partner, month and currency.

        Args:
            since: The beginning of the period.
            until: The end of the period.
            zone: The time zone of the months.
        """
        ...

    async def opportunities(self, after: str = "", limit: int = PAGE_ROWS, text: str = "") -> Page[CatalogueEntry]:
        """Return the Opportunities that have no parent, in the order of their paths.

        Args:
            after: The cursor of the page before.
            limit: The largest number of rows.
            text: A part of the name, without regard to case and accents; empty for all.
        """
        ...


class Views(Protocol):
    """The views of a store."""

    def of(self, seller: str) -> SellerViews:
        """Return the views of the Seller with that key."""
        ...

    async def add_up_past_days(self, sellers: Sequence[str]) -> None:
        """Prepare the sales of days that have ended, so that later views of sales are faster; or do nothing.

        The upkeep calls this method every hour. Views are correct without it.

        Args:
            sellers: The keys of all Sellers.
        """
        ...


@runtime_checkable
class StoreWithViews(Protocol):
    """A store that has views; `openbooking.testing.ViewTests` shows whether they are correct."""

    @property
    def views(self) -> Views:
        """The views."""
        ...
