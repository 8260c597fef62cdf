"""The Actor of a command, and the Stamp with the Actor and the time that a command leaves on its changes."""

from datetime import datetime
from enum import StrEnum

import msgspec


class ActorKind(StrEnum):
    """The kinds of actors."""

    PARTNER = "partner"
    STAFF = "staff"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Booking Partner, an account of a Seller's staff, an administrator, or a part of the system itself.

    Attributes:
        kind: The kind of the actor.
        key: The key of the Booking Partner, the name of the account, or the name of the part of the system or of the
            administrator's command, for example "sweeper" or "import". It never identifies a Customer.
    """

    kind: ActorKind
    key: str = ""


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """The actor of a change, and its time; `at` is None if the time is unknown."""

    actor: Actor
    at: datetime | None = None


# The stamp of changes that were made before actors were stored.
UNKNOWN = Stamp(Actor(ActorKind.UNKNOWN))
