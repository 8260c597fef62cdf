"""What can be asked of a Booking System, and what is decided on it."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

import msgspec

from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, Order, OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record
from openbooking.booking.model.report import Reports
from openbooking.booking.model.situation import Change, Needs, Situation
from openbooking.openactive.errors import OpenBookingError


class Rehearsed(msgspec.Struct, frozen=True):
    """The reply of `Rehearse`: the reply of the rehearsed command, and the changes that it would make."""

    reply: "Reply"
    changes: tuple[Change, ...]


Reply = Order | Record | Opportunity | Reports | Rehearsed | Mapping[str, Opportunity] | OpenBookingError | int | None


class Decision(msgspec.Struct, frozen=True):
    """What the caller is told, and what has to change for it to be true.

    An OpenBookingError as reply is a refusal that changes something, as when B finds that a proposal must be rejected;
    one that is raised changes nothing.
    """

    reply: Reply = None
    changes: tuple[Change, ...] = ()


class Command(Protocol):
    """Something asked of the Booking System, by its `actor`."""

    @property
    def stores_more(self) -> bool:
        """Whether the command, if it changes anything, stores more than it frees. A full disk refuses it."""
        ...

    @property
    def actor(self) -> Actor:
        """Who asks."""
        ...

    def needs(self, policy: Policy) -> Needs:
        """What has to be loaded before it can be decided."""
        ...

    def decide(self, situation: Situation) -> Decision:
        """Decide on the situation: no I/O, no clock, no chance. Raise an OpenBookingError to refuse."""
        ...


class BaseCommand(msgspec.Struct, frozen=True):
    """What all commands have in common: an actor, which is stamped on what they change."""

    stores_more: ClassVar[bool] = False

    @property
    def actor(self) -> Actor:
        """Who asks."""
        raise NotImplementedError

    def stamp(self, situation: Situation) -> Stamp:
        """The actor, and the instant at which the command is decided.

        The time is that of the situation, one for all commands of a batch. So the time that is kept is the one that
        the decision was based on: what was sold before it started was sold before it started by the stamp too. And no
        caller can choose it.
        """
        return Stamp(self.actor, situation.now)


class ActorCommand(BaseCommand, frozen=True, kw_only=True):
    """A command whose caller says who asks; there is no default, so that nobody is named by mistake."""

    actor: Actor


class OrderCommand(BaseCommand, frozen=True, kw_only=True):
    """What a Booking Partner's commands about one Order have in common: who asks, and for which UUID."""

    caller: Caller
    uuid: str

    @property
    def actor(self) -> Actor:
        """The Booking Partner that calls."""
        return Actor(ActorKind.PARTNER, self.caller.partner)

    @property
    def key(self) -> OrderKey:
        """What identifies the record behind the UUID."""
        return OrderKey(self.caller.partner, self.uuid)

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID."""
        del policy
        return Needs(records=frozenset({self.key}))
