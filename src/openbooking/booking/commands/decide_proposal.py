"""The Seller accepts or rejects an OrderProposal (OB 5.5.5.1)."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import OrderKey, SeenProposal
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.openactive.terms import OrderProposalStatus


class DecideProposal(ActorCommand, frozen=True, kw_only=True):
    """Accept or reject an OrderProposal, with or without a note to the Customer.

    Attributes:
        order: The key of the OrderProposal.
        accept: Whether the Seller accepts it.
        note: The note to the Customer, if any.
        seen: The OrderProposal as the Seller saw it; None to decide whatever has changed since.
    """

    order: OrderKey
    accept: bool
    note: str | None = None
    seen: SeenProposal | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PROPOSAL_ACCEPTED if self.accept else Action.PROPOSAL_REJECTED

    def needs(self) -> Needs:
        """Return the record of the OrderProposal."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the status; the version stays (OB-APP-25).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            ProposalExpiredError: The lifetime of the OrderProposal has ended.
            ProposalChangedError: The OrderProposal is not as the Seller saw it.
            NoteTooSoonError: The note follows the last one too soon.
            ProposalRejectedError: The OrderProposal was rejected before.
        """
        record = lifecycle.current_proposal(situation, self.order)
        lifecycle.check_lifetime(situation, record.proposal)
        lifecycle.check_seen(record.proposal, self.seen)
        lifecycle.check_note(situation, record.proposal, self.note)
        status = OrderProposalStatus.ACCEPTED if self.accept else OrderProposalStatus.SELLER_REJECTED
        decided = lifecycle.with_status(situation, record, status, self.stamp(situation), self.note)
        return Decision(reply=None, changes=(RecordSet(self.order, decided),))
