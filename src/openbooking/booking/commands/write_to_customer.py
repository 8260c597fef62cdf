"""The Seller writes to the Customer about an open OrderProposal (OB 5.5.5.3)."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import NoMessagesError
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.openactive.terms import FlowRequirement


class WriteToCustomer(ActorCommand, frozen=True, kw_only=True):
    """Write a note about an open OrderProposal, if its Offers allow messages; one note in five minutes.

    Attributes:
        order: The key of the OrderProposal.
        note: The note, which must not be empty.
    """

    order: OrderKey
    note: str

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.NOTE_WRITTEN

    def needs(self) -> Needs:
        """Return the record of the OrderProposal."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the note in place of the last one; status and version stay (OB-AMEND-09, OB-AMEND-10).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            NoMessagesError: The note is empty, the OrderProposal was rejected, or its Offers allow no messages.
            NoteTooSoonError: The note follows the last one too soon.
        """
        record = lifecycle.current_proposal(situation, self.order)
        exchanged = lifecycle.is_open(record.proposal) and record.order.asks_for(FlowRequirement.MESSAGE_EXCHANGE)
        if not self.note or not exchanged:
            raise NoMessagesError
        lifecycle.check_note(situation, record.proposal, self.note)
        noted = lifecycle.with_note(situation, record, self.note, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.order, noted),))
