"""The errors of single OrderItems (OB 10.2.2.3)."""

from enum import StrEnum

import msgspec


class ItemErrorType(StrEnum):
    """The error classes of an OrderItem, all with status 409 (OB 10.2.2.3)."""

    INCOMPLETE_ORDER_ITEM = "IncompleteOrderItemError"
    INCOMPLETE_ATTENDEE_DETAILS = "IncompleteAttendeeDetailsError"
    INCOMPLETE_INTAKE_FORM = "IncompleteIntakeFormError"
    INVALID_INTAKE_FORM = "InvalidIntakeFormError"
    UNACCEPTABLE_OFFER = "UnacceptableOfferError"
    UNKNOWN_OFFER = "UnknownOfferError"
    UNKNOWN_OPPORTUNITY = "UnknownOpportunityError"
    INVALID_OPPORTUNITY_OR_OFFER_ID = "InvalidOpportunityOrOfferIdError"
    OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE = "OpportunityOfferPairNotBookableError"
    OPPORTUNITY_INTRACTABLE = "OpportunityIntractableError"
    OPPORTUNITY_IS_IN_CONFLICT = "OpportunityIsInConflictError"
    OPPORTUNITY_IS_FULL = "OpportunityIsFullError"
    OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY = "OpportunityHasInsufficientCapacityError"
    OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE = "OpportunityCapacityIsReservedByLeaseError"

    @property
    def error_name(self) -> str:
        """The `name` property, which is the same for all errors of the class."""
        return _ITEM_ERROR_NAMES[self]


ITEM_ERROR_STATUS = 409

_ITEM_ERROR_NAMES = {
    ItemErrorType.INCOMPLETE_ORDER_ITEM: "The OrderItem lacks its orderedItem or its acceptedOffer.",
    ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS: "The attendee lacks details that are required.",
    ItemErrorType.INCOMPLETE_INTAKE_FORM: "A required question of the intake form is not answered.",
    ItemErrorType.INVALID_INTAKE_FORM: "A question of the intake form does not allow its answer.",
    ItemErrorType.UNACCEPTABLE_OFFER: "The Offer does not apply to the Opportunity.",
    ItemErrorType.UNKNOWN_OFFER: "The Offer is not known.",
    ItemErrorType.UNKNOWN_OPPORTUNITY: "The Opportunity is not known.",
    ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID: "The identifier is not one of this Booking System.",
    ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE: "The Opportunity cannot be booked with this Offer.",
    ItemErrorType.OPPORTUNITY_INTRACTABLE: "The Opportunity is in a state in which it cannot be booked.",
    ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT: "The Opportunity cannot be booked together with others of this Order.",
    ItemErrorType.OPPORTUNITY_IS_FULL: "The Opportunity has no spaces left.",
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY: "The Opportunity has fewer spaces left than requested.",
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE: "The remaining spaces are held for other Customers.",
}


class ItemError(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of one OrderItem, which the `error` property of the item reports.

    Attributes:
        type: The error class.
        description: The `description` property, which explains this one error; None to leave it out.
        instance: The URI of the faulty property; None to leave it out.
        field: The key of the intake form's question that has no valid answer; None if the form is not at fault.
    """

    type: ItemErrorType
    description: str | None = None
    instance: str | None = None
    field: str | None = None
