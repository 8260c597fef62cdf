"""The choices that the specification leaves to a Booking System."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec


class Leasing(StrEnum):
    """When quotes hold spaces: never, from C2 on, or from C1 on (OB 5.4.3)."""

    OFF = "off"
    NAMED = "named"
    ANONYMOUS = "anonymous"


class TaxCalculation(StrEnum):
    """The Orders with calculated tax (OB 7.4): all Orders, only Orders of consumers, or none.

    Resellers and businesses are not consumers.
    """

    ALWAYS = "always"
    CONSUMERS = "consumers"
    NEVER = "never"


class ReconciliationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a `payment` must have to be reconciled (OB 7.3.2.1). None accepts any value."""

    name: str | None = None
    account_id: str | None = None
    payment_provider_id: str | None = None


class HoldingBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on the spaces, quotes and proposals that one Booking Partner holds before it books.

    A quote or proposal that exceeds a bound holds nothing. The partner can still book.

    Attributes:
        quote_duration: How long quotes with one UUID may hold spaces without a break.
        proposal_duration: How long an OrderProposal may hold spaces.
        share: The part of an Opportunity's capacity that the partner may hold.
        share_above: `share` applies to capacities above this number of spaces.
        quotes: How many quotes of the partner may hold spaces at once.
        proposals: How many OrderProposals of the partner may hold spaces at once.
        bytes: How many bytes the stored quotes that hold spaces may take.
    """

    quote_duration: timedelta = timedelta(hours=1)
    proposal_duration: timedelta = timedelta(days=1)
    share: float = 0.5
    share_above: int = 10
    quotes: int = 5_000
    proposals: int = 500
    bytes: int = 20_000_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one Booking System.

    Attributes:
        leasing: When quotes hold spaces.
        lease_duration: How long a Lease lasts after the quote that made or extended the Lease.
        guarantee_duration: How long quotes that extend a Lease keep its first terms.
        bounds: How much a Booking Partner may hold before it books.
        proposal_duration: The lifetime of an OrderProposal, in which the Seller decides on it and the Broker books it.
        prepayment: Whether `openBookingPrepayment` is published; otherwise priced Orders require prepayment
            (OB-PREP-02).
        tax: Which Orders have calculated tax.
        reconciliation: The required payment details; None accepts any details.
        offer_overrides: Whether Sellers can agree to prices of a Booking Partner's own (`GrantTerms`).
        dynamic_accounts: The accounts with which Sellers can agree to bookings without a price. None allows no account,
            and an empty set allows all accounts.
        time_zone: The time zone of the timetable, and of times in messages to people.
        publish_ahead: How long before its date an occurrence of a timetable is published; whole days.
        max_published_bytes: How many bytes a published Opportunity or Seller may take.
        max_order_bytes: How many bytes an Order may take.
    """

    leasing: Leasing = Leasing.NAMED
    lease_duration: timedelta = timedelta(minutes=15)
    guarantee_duration: timedelta = timedelta(minutes=30)
    bounds: HoldingBounds = HoldingBounds()
    proposal_duration: timedelta = timedelta(days=3)
    prepayment: bool = True
    tax: TaxCalculation = TaxCalculation.ALWAYS
    reconciliation: ReconciliationDetails | None = None
    offer_overrides: bool = False
    dynamic_accounts: frozenset[str] | None = None
    time_zone: ZoneInfo = ZoneInfo("Europe/London")
    publish_ahead: timedelta = timedelta(weeks=8)
    max_published_bytes: int = 250_000
    max_order_bytes: int = 10_000_000

    def last_published_date(self, now: datetime) -> date:
        """Return the last date of which the occurrences of timetables are published."""
        return now.astimezone(self.time_zone).date() + self.publish_ahead
