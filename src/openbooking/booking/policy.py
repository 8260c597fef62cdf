"""What the specification leaves to the Booking System to choose."""

from datetime import timedelta
from enum import StrEnum

import msgspec


class Leasing(StrEnum):
    """When places are held for a Broker before B: never, from C2 on, or from C1 on (OB 5.4.3)."""

    OFF = "off"
    NAMED = "named"
    ANONYMOUS = "anonymous"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one Booking System.

    `lease_duration` is how long a Lease lasts from the quote that made or extended it. `prepayment` tells whether
    `openBookingPrepayment` is published on totals; without it priced Orders require payment (OB-PREP-02).
    """

    leasing: Leasing = Leasing.NAMED
    lease_duration: timedelta = timedelta(minutes=15)
    prepayment: bool = True
