"""Commands, and the decisions that they come to."""

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
    """A refusal that changes something: the store makes the changes and raises the reply.

    B rejects a proposal in this way if the spaces are gone. A refusal that changes nothing is raised by the command.
    """


class Command(Protocol[Reply_co]):
    """A request of an actor to the Booking System; the type parameter is the type of the reply."""

    @property
    def stores_more(self) -> bool:
        """Whether the changes of the command take more space on the disk than they free; a full disk refuses it."""
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
        """Return the decision; a pure function of the command and the situation.

        Raises:
            OpenBookingError: The command is refused, and nothing changes.
        """
        ...


class BaseCommand(msgspec.Struct, frozen=True):
    """The base of all commands: its actor is stamped on everything that the command changes."""

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
        """Return a stamp with the actor and the time of the situation.

        A batch of commands has one situation, and so one time. The stored time is therefore the time that the decision
        was based on, and no caller can choose it.
        """
        return Stamp(self.actor, situation.now)


class ActorCommand(BaseCommand, frozen=True, kw_only=True):
    """A command whose caller names the actor; a default could name the wrong one."""

    actor: Actor


class OrderCommand(BaseCommand, frozen=True, kw_only=True):
    """A command of a Booking Partner about the Order with one UUID."""

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
