"""What the specification leaves to the Booking System to choose."""

from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec


class Leasing(StrEnum):
    """When spaces are held for a Broker before B: never, from C2 on, or from C1 on (OB 5.4.3)."""

    OFF = "off"
    NAMED = "named"
    ANONYMOUS = "anonymous"


class TaxCalculation(StrEnum):
    """For whom tax is calculated (OB 7.4): everybody; consumers, not resellers and businesses; or nobody."""

    ALWAYS = "always"
    CONSUMERS = "consumers"
    NEVER = "never"


class ReconciliationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a `payment` must say so that it can be reconciled; None where it does not matter (OB 7.3.2.1)."""

    name: str | None = None
    account_id: str | None = None
    payment_provider_id: str | None = None


class HoldingBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much a Booking Partner may hold without buying it. Beyond a bound nothing is held; all can still be booked.

    `quote_duration` is how long quotes with one UUID may hold spaces without a break, `proposal_duration` how long an
    OrderProposal may. `share` is the part of an Opportunity's capacity that one partner may hold, where the capacity is
    above `share_above`. `quotes`, `proposals` and `bytes` count what one partner has open, and what its quotes take.
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

    `lease_duration` is how long a Lease lasts from the quote that made or extended it, `guarantee_duration` how long
    quotes that extend it keep the terms that it was given first. `proposal_duration` is the lifetime of an
    OrderProposal, in which the Seller approves it and the Broker books it. `bounds` limit what is held and not bought.
    `prepayment` tells whether `openBookingPrepayment` is published; without it priced Orders require payment
    (OB-PREP-02). `reconciliation` is None where any payment details will do. `offer_overrides` and `dynamic_accounts`
    bound what a Seller and a Booking Partner can agree on (`GrantTerms`): whether the partner names prices of its own,
    and with which accounts it books without a price; None for no account, and an empty set for any. Times are told to
    people in `time_zone`. What is published may take `max_published_bytes` each, and an Order `max_order_bytes`.
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
    max_published_bytes: int = 250_000
    max_order_bytes: int = 10_000_000
