"""The actor of a command, and the stamp (actor and time) that a command leaves on what it changes."""

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
        key: The key of a Booking Partner, the name of an account, the name of a part of the system ("sweeper"), or the
            name of an administrator's command ("import"). The key never identifies a Customer.
    """

    kind: ActorKind
    key: str = ""


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """The actor and the time of a change; `at` is None if the time is unknown."""

    actor: Actor
    at: datetime | None = None


# The stamp of changes from before this system stored actors.
UNKNOWN = Stamp(Actor(ActorKind.UNKNOWN))
