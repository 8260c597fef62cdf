"""What a Seller does to Orders after they were booked: one set of decisions, whoever asks for them (OB 8.3.3, 8.4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Access, OrderItem, OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import ItemState
from openbooking.booking.model.situation import Change, Needs, OpportunitySet, RecordSet, Situation, evolve
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.access import grant_access
from openbooking.booking.rules.cancellation_effects import call_off
from openbooking.booking.rules.logistics import tell_orders
from openbooking.booking.rules.matching_keys import with_whereabouts
from openbooking.booking.rules.order_changes import booked, with_states
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    NotFoundError,
    OpenBookingError,
)
from openbooking.openactive.terms import EventStatus, OrderItemStatus


class SellerCommand(ActorCommand, frozen=True, kw_only=True):
    """A change to every item of an Order that is not cancelled, or to those of these numbers."""

    order: OrderKey
    numbers: frozenset[int] | None = None

    def needs(self, policy: Policy) -> Needs:
        """The record of the Order."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Change the items; one version of the Order enters the Orders feed, with the whole effect."""
        record, _ = booked(situation, self.order)
        items = record.numbered()
        chosen = items.keys() if self.numbers is None else self.numbers
        if not items.keys() >= chosen:
            raise NotFoundError("The Order has no such item.")
        standing = {number: items[number] for number in chosen if not items[number][1].status.cancelled}
        for item, _ in standing.values():
            self.check(situation, item)
        moved = {number: self.change(item, state) for number, (item, state) in standing.items()}
        changed = {number: state for number, state in moved.items() if state != standing[number][1]}
        if not changed:
            return Decision()
        return Decision(changes=(RecordSet(self.order, with_states(record, changed, self.stamp(situation))),))

    def check(self, situation: Situation, item: OrderItem) -> None:
        """Raise an error if it cannot be done to this item, and so to none."""

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """What becomes of one item."""
        raise NotImplementedError


class SellerCancel(SellerCommand, frozen=True, kw_only=True):
    """The Seller cancels, with a message to the Customer or none; the Broker refunds in full (OB-SEL-01, OB-SEL-02)."""

    message: str | None = None

    def check(self, situation: Situation, item: OrderItem) -> None:
        """Raise CancellationNotPermittedError once it is over: refunds are agreed on elsewhere then (OB-SEL-12)."""
        assert item.opportunity is not None  # noqa: S101 - booked items have one
        if situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now):
            raise CancellationNotPermittedError("This has taken place already.")

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Cancel the item."""
        del item
        return replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=self.message or None)


class Notify(SellerCommand, frozen=True, kw_only=True):
    """The Seller has something to tell the Customer, through the Broker (OB-NOTIF-02)."""

    notice: str

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Set the notice, or take it back with an empty one; none where nobody came (OB-NOTIF-03)."""
        del item
        return replace(state, customer_notice=self.notice or None) if state.status in lifecycle.NOTIFIED else state


class RecordAttendance(SellerCommand, frozen=True, kw_only=True):
    """The attendees came, or did not (OB-NOTIF-07)."""

    attended: bool

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Set the status."""
        del item
        return replace(state, status=OrderItemStatus.ATTENDED if self.attended else OrderItemStatus.ABSENT)


class RenewAccess(SellerCommand, frozen=True, kw_only=True):
    """Codes, passes or channels are given out anew; what is not named stays (OB-NOTIF-08)."""

    nonce: str
    code: bool = False
    passes: bool = False
    channel: bool = False

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Renew what is named."""
        rules = item.opportunity.access if item.opportunity else None
        old = item.access or Access()
        new = grant_access(rules, self.nonce, item.number) or Access()
        renewed = replace(
            old,
            code=new.code if self.code else old.code,
            passes=new.passes if self.passes else old.passes,
            channel=new.channel if self.channel else old.channel,
        )
        return state if renewed == old else replace(state, access=renewed)


class CancelOpportunity(ActorCommand, frozen=True, kw_only=True):
    """The whole Opportunity does not take place: it is cancelled, and so is every booking of it (OB 8.3.3).

    With it goes what lies below: the sessions of a series, the Slots of a facility, the parts of an event.
    """

    opportunity: str
    message: str | None = None

    def needs(self, policy: Policy) -> Needs:
        """The Opportunity and what lies below, with the records that claim any of it."""
        del policy
        return Needs(families=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision:
        """Publish what is still to come as cancelled, and tell every Order and proposal concerned."""
        if self.opportunity not in situation.opportunities:
            raise NotFoundError("There is no such Opportunity.")
        off = [
            member
            for member in situation.opportunities.values()
            if member.type.bookable and not member.is_over(situation.now) and self._holds(situation, member)
        ]
        if not off:
            raise OpenBookingError("Nothing of it is still to come.")
        cancelled = (OpportunitySet(replace(member, status=EventStatus.CANCELLED, called_off=True)) for member in off)
        paths = {member.path for member in off}
        return Decision(changes=(*cancelled, *call_off(situation, paths, self.stamp(situation), self.message)))

    def _holds(self, situation: Situation, member: Opportunity) -> bool:
        return any(one.path == self.opportunity for one in (member, *situation.parents(member)))


class ChangeLogistics(ActorCommand, frozen=True, kw_only=True):
    """Name, time or place of an Opportunity change, and every Order for it tells so (OB-NOTIF-06, AMB-19).

    A Slot has its name and place from the facility it belongs to, so that all Slots of that facility change with it;
    only where that facility is not known has it its own.
    """

    opportunity: str
    name: str | None = None
    location: Mapping[str, Any] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def needs(self, policy: Policy) -> Needs:
        """The whole family of the Opportunity, with the records that claim any of it."""
        del policy
        return Needs(families=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision:
        """Publish the change, and bring the Orders concerned into their feeds."""
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None:
            raise NotFoundError("There is no such Opportunity.")
        if self.location and opportunity.type.at_any_time:
            raise OpenBookingError("What is there at any time is at no place.")
        moved = self._moved(opportunity)
        by_parent = moved.type.row.parent is not None and moved.type.row.parent.gives_description
        described = next(iter(situation.parents(moved)), moved) if by_parent else moved
        given = {"name": self.name, "location": self.location}
        told = {name: value for name, value in given.items() if value}
        named = with_whereabouts(replace(described, properties={**described.properties, **told}))
        new = {now.path: now for now in (moved, named) if now != situation.opportunities[now.path]}
        published: list[Change] = [OpportunitySet(changed) for changed in new.values()]
        for change in published:
            situation = evolve(situation, change)
        return Decision(changes=(*published, *tell_orders(situation, new.keys(), self.stamp(situation))))

    def _moved(self, opportunity: Opportunity) -> Opportunity:
        """The Opportunity at its new time, if that changes."""
        if self.start is None and self.end is None:
            return opportunity
        start, end = self.start or opportunity.start, self.end or opportunity.end
        if opportunity.over_at is None or start is None or (end and end <= start):
            raise OpenBookingError("The Opportunity has no date, or its end would not be after its start.")
        return replace(opportunity, start=start, end=end)
