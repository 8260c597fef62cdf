"""The effect of the cancellation of an Opportunity, previewed for the console, and its plan for the command line."""

from collections import Counter
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.office import NotFoundInOfficeError, Office
from openbooking.back_office.plans.order_plans import describe_occurrence
from openbooking.back_office.plans.plan import Plan, count
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.preview import Preview
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import OpportunitySet
from openbooking.booking.rules.opportunities.cancellation_effects import CancelledBooking, cancelled_bookings
from openbooking.booking.store import Store


class CancellationEffect(NamedTuple):
    """The effect of the cancellation of an Opportunity and everything below it.

    Attributes:
        occurrences: The number of occurrences that are cancelled, and were not cancelled here before.
        bookings: The Orders and OrderProposals that lose spaces, ordered by key.
    """

    occurrences: int = 0
    bookings: tuple[CancelledBooking, ...] = ()

    @property
    def orders(self) -> Counter[str]:
        """The number of Orders of which items are cancelled, by the keys of the Booking Partners."""
        return Counter(booking.key.partner for booking in self.bookings if not booking.is_proposal)

    @property
    def proposals(self) -> int:
        """The number of OrderProposals that are rejected."""
        return sum(booking.is_proposal for booking in self.bookings)


async def cancellation_effect(store: Store, opportunity: str, actor: Actor) -> CancellationEffect:
    """Return the effect that the cancellation of the Opportunity with this path would have now.

    Raises:
        NotFoundError: No Opportunity has the path.
        NothingToCancelError: All of the Opportunities have ended, or are cancelled already.
    """
    command = CancelOpportunity(opportunity=opportunity, actor=actor)
    previewed = await store.execute(Preview(command=command, actor=actor))
    occurrences = sum(isinstance(change, OpportunitySet) for change in previewed.changes)
    return CancellationEffect(occurrences, cancelled_bookings(previewed.changes))


async def plan_cancellation(office: Office, opportunity: Opportunity, message: str, actor: Actor) -> Plan:
    """Plan the cancellation of an Opportunity of the Seller with its Orders. The number of Orders is the answer.

    Args:
        office: The bookings of the Seller.
        opportunity: The Opportunity.
        message: The message to the Customers; may be empty.
        actor: The actor of the cancellation.

    Raises:
        NotFoundInOfficeError: Nothing of the Opportunity is left to cancel.
    """
    context = office.context
    try:
        effect = await cancellation_effect(office.store, opportunity.path, actor)
    except NothingToCancelError as nothing:
        raise NotFoundInOfficeError(nothing.name) from nothing
    occurrence = await office.views.occurrence(opportunity.path)
    parents = occurrence.parents if occurrence else ()
    what = describe_occurrence(opportunity, parents, context)
    if not opportunity.type.row.bookable:
        what = f"{count(effect.occurrences, 'occurrence')} of {opportunity_name(opportunity, parents)}"
    counts = sorted((-count, context.partner_name(key)) for key, count in effect.orders.items())
    partners = ", ".join(f"{name} {-count:,}" for count, name in counts)
    proposals = f" Rejects {count(effect.proposals, 'waiting proposal')}." if effect.proposals else ""
    orders = count(effect.orders.total(), "Order")
    return Plan(
        command=CancelOpportunity(opportunity=opportunity.path, message=message or None, actor=actor),
        done=f"Cancelled {what} with {orders}. The partners learn of it from their feeds.",
        effect=f"Cancels {what} with {orders}{f' ({partners})' if partners else ''}.{proposals} This cannot be undone.",
        question="Type the number of Orders to cancel them" if effect.orders.total() else "Cancel?",
        number=effect.orders.total() or None,
    )
