"""The errors of commands that only Sellers, importers and administrators give. Brokers never receive them.

The specification has no classes for these errors.
"""

from openbooking.openactive.errors import OpenBookingError


class DecisionRefusedError(OpenBookingError):
    """The base of the errors of a Seller's decision or of a publication."""

    in_specification = False
    name = "The decision cannot be carried out."


class ProposalExpiredError(DecisionRefusedError):
    """The lifetime of the OrderProposal has ended."""

    name = "The OrderProposal has not been booked in time."


class ProposalRejectedError(DecisionRefusedError):
    """The OrderProposal was rejected, which cannot be undone (OB-APP-24)."""

    name = "The OrderProposal was rejected."


class ProposalChangedError(DecisionRefusedError):
    """Somebody else has decided about the OrderProposal since it was shown, or the Customer has changed it."""

    name = "Somebody else has decided about this proposal meanwhile. Look at it again."


class SellerChangedError(DecisionRefusedError):
    """Somebody else has changed the Seller since it was shown."""

    name = "The details have changed since you opened this page. Nothing has been published. Look at them again."


class NoteTooSoonError(DecisionRefusedError):
    """The last note was sent less than five minutes ago (OB-AMEND-11)."""

    name = "Only one message in five minutes can be written."


class NoNegotiationError(DecisionRefusedError):
    """No Offer in the OrderProposal allows negotiation (OB 5.5.5.2)."""

    name = "No Offer in this OrderProposal allows negotiation."


class NoMessagesError(DecisionRefusedError):
    """The OrderProposal takes no messages: its Offers do not allow them, or it was rejected (OB 5.5.5.3)."""

    name = "No messages are exchanged about this OrderProposal."


class UnacceptableAmendmentError(DecisionRefusedError):
    """The amendment leaves no item, or has a price that cannot be paid (OB 5.5.5.2)."""

    name = "The amendment is not acceptable."


class NothingToCancelError(DecisionRefusedError):
    """The Opportunity, and everything below it, has ended or is cancelled already (OB-SEL-12)."""

    name = "No future occurrence is left to cancel."


class BookingAheadError(DecisionRefusedError):
    """The personal data of an Order is still needed: it has a booking that is neither over nor cancelled."""

    name = "A booking is ahead. Cancel it first, or wait until it is over."


class UnacceptablePaymentError(DecisionRefusedError):
    """The front desk cannot take this payment: it is more than is due, or the Order was not booked there."""

    name = "The payment cannot be recorded."


class DueChangedError(DecisionRefusedError):
    """Another amount is due than when the payment was taken: somebody has recorded it, or items were cancelled."""

    name = "What is due has changed meanwhile. Look at the booking again."


class UnacceptableLogisticsError(DecisionRefusedError):
    """The Opportunity cannot have this time or location (OB-NOTIF-06)."""

    name = "The Opportunity cannot have this time or location."


class UnpayableOfferError(DecisionRefusedError):
    """An Offer has a price that cannot be paid, or a price without currency."""

    name = "The Offer has a price that cannot be paid."


class IdReusedError(DecisionRefusedError):
    """A feed uses the `id` of a booked Opportunity for another Opportunity."""

    name = "The feed reuses the id of an Opportunity that has Orders."


class TimetableChangedError(DecisionRefusedError):
    """The entry of the timetable has changed since it was shown."""

    name = "Somebody else has changed this entry of the timetable meanwhile. Look at it again."


class UsedByTimetableError(DecisionRefusedError):
    """Entries of the timetable are at the Venue, so it cannot be removed."""

    name = "Classes or facilities are at this venue. Change or remove them first."
