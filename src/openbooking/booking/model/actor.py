"""The Actor of a command, and the Stamp that the command leaves on what it changes: who did it, and when."""

from datetime import datetime
from enum import StrEnum

import msgspec


class ActorKind(StrEnum):
    """What kind of party acts."""

    PARTNER = "partner"
    STAFF = "staff"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts: a Booking Partner, an account of a Seller's staff, an administrator, or a part of the system itself.

    `key` is the Booking Partner's key, the name of the account, or the name of the part of the system or the
    command that an administrator has run, for example "sweeper" or "import". It never tells of a Customer.
    """

    kind: ActorKind
    key: str = ""


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did something and when; `at` is None where the time is not known."""

    actor: Actor
    at: datetime | None = None


# For changes made before actors were kept.
UNKNOWN = Stamp(Actor(ActorKind.UNKNOWN))
