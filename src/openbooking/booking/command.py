"""The protocol and the base classes of commands, and the decisions that commands return."""

from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec

from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.situation import Change, Needs, Situation
from openbooking.openactive.errors import OpenBookingError

Reply_co = TypeVar("Reply_co", covariant=True)


class Decision(msgspec.Struct, Generic[Reply_co], frozen=True):
    """The reply to a command, and the changes that the command makes."""

    reply: Reply_co
    changes: tuple[Change, ...] = ()


class Refusal(Decision[OpenBookingError], frozen=True):
    """A refusal with changes: the store makes the changes, and then raises the reply as an error.

    Example: B rejects a proposal whose spaces are sold. A command raises an error by itself if it changes nothing.
    """


class Command(Protocol[Reply_co]):
    """A request of an actor to the Booking System. The type parameter is the type of the reply."""

    @property
    def stores_more(self) -> bool:
        """Whether the changes of the command need additional disk space. A full disk refuses such commands."""
        ...

    @property
    def actor(self) -> Actor:
        """Who gives the command."""
        ...

    @property
    def action(self) -> Action | None:
        """The kind of its entries in the activity log; None if it has no entries."""
        ...

    def needs(self) -> Needs:
        """Return what the store must load before the command can be decided."""
        ...

    def decide(self, situation: Situation) -> Decision[Reply_co] | Refusal:
        """Return the decision. The result depends on the command and the situation only.

        Raises:
            OpenBookingError: The command is refused, and nothing changes.
        """
        ...


class BaseCommand(msgspec.Struct, frozen=True):
    """The base of all commands. Everything that a command changes gets a stamp with its actor."""

    stores_more: ClassVar[bool] = False

    @property
    def actor(self) -> Actor:
        """Who gives the command."""
        raise NotImplementedError

    @property
    def action(self) -> Action | None:
        """The kind of its entries in the activity log; None if it has no entries."""
        return None

    def stamp(self, situation: Situation) -> Stamp:
        """Return a stamp with the actor and the time of the situation. Callers cannot choose the time."""
        return Stamp(self.actor, situation.now)


class ActorCommand(BaseCommand, frozen=True, kw_only=True):
    """A command whose caller names the actor. There is no default, because a default could be the wrong actor."""

    actor: Actor


class OrderCommand(BaseCommand, frozen=True, kw_only=True):
    """A command of a Booking Partner about the record behind one Order UUID.

    Attributes:
        caller: The Booking Partner.
        uuid: The Order UUID.
    """

    caller: Caller
    uuid: str

    @property
    def actor(self) -> Actor:
        """The Booking Partner that calls."""
        return Actor(ActorKind.PARTNER, self.caller.partner)

    @property
    def key(self) -> OrderKey:
        """The key of the record behind the UUID."""
        return OrderKey(self.caller.partner, self.uuid)

    def needs(self) -> Needs:
        """Return the record behind the UUID."""
        return Needs(records=frozenset({self.key}))
