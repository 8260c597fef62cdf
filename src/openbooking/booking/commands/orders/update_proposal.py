"""PATCH of an OrderProposal: the Customer rejects it, or writes to the Seller (OB 9.2.5)."""

from typing import Any, NamedTuple

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import Caller, PersonalData
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.openactive.errors import OpenBookingError, PatchNotAllowedOnPropertyError
from openbooking.openactive.terms import OrderProposalStatus


class ProposalPatch(NamedTuple):
    """The status and the note in a PATCH of an OrderProposal, as they were sent."""

    status: Any
    note: Any


def proposal_update(caller: Caller, uuid: str, patch: ProposalPatch) -> "UpdateProposal":
    """Return the command of a PATCH of an OrderProposal (OB-OPU-01, OB-OPU-02, OB-OPU-04).

    Raises:
        OpenBookingError: The PATCH has neither status nor note.
        PatchNotAllowedOnPropertyError: The status is not CustomerRejected, or the note is not a text.
    """
    status, note = patch
    if status is None and note is None:
        raise OpenBookingError("The PATCH changes nothing.")
    if status not in (None, OrderProposalStatus.CUSTOMER_REJECTED):
        allowed = OrderProposalStatus.CUSTOMER_REJECTED
        raise PatchNotAllowedOnPropertyError(f"orderProposalStatus can only become {allowed}.")
    if note is not None and not isinstance(note, str):
        raise PatchNotAllowedOnPropertyError("orderCustomerNote must be a text.")
    return UpdateProposal(caller=caller, uuid=uuid, reject=status is not None, note=note)


class UpdateProposal(OrderCommand, frozen=True, kw_only=True):
    """Reject an OrderProposal for the Customer, write a note to the Seller, or both (OB 9.2.5).

    Attributes:
        reject: Whether the Customer rejects the OrderProposal.
        note: The note to the Seller, if any.
    """

    reject: bool = False
    note: str | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PROPOSAL_UPDATED_BY_CUSTOMER

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the status and the note. A repeat changes nothing (OB-AMEND-12).

        A closed OrderProposal stores no note, because its personal data has been erased.

        Raises:
            UnknownOrderError: No OrderProposal has the UUID.
            PatchNotAllowedOnPropertyError: The Seller has rejected the OrderProposal already.
        """
        before = lifecycle.current_proposal(situation, self.key)
        self.caller.check_may_act_for(before.seller)
        record, stamp = before, self.stamp(situation)
        if self.reject and before.proposal.status is not OrderProposalStatus.CUSTOMER_REJECTED:
            if not lifecycle.is_open(before.proposal):
                raise PatchNotAllowedOnPropertyError("The OrderProposal has been rejected already.")
            record = lifecycle.set_proposal_status(situation, record, OrderProposalStatus.CUSTOMER_REJECTED, stamp)
        if self.note is not None and record.ends:
            personal = replace(record.order.personal or PersonalData(), customer_note=self.note)
            record = replace(record, order=replace(record.order, personal=personal))
        if record == before:
            return Decision(reply=None)
        return Decision(reply=None, changes=(RecordSet(self.key, replace(record, changed=stamp)),))
