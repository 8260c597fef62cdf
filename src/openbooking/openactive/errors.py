"""The specification's error classes with their statuses (OB 10.2).

A fault of the request as a whole is raised as the exception of its class, from wherever it is noticed, and rendered
in one place. A fault of a single OrderItem is a value, `ItemError`, carried by the quote or Order it belongs to.

    OpenBookingError
    ├── IncompleteCustomerDetailsError, IncompleteBrokerDetailsError, …   the request is at fault (4xx)
    ├── OrderAlreadyExistsError, SellerMismatchError, …                   the request is at fault (500)
    ├── TemporarilyUnable…Error                                           try again with the same UUID (503)
    └── InternalApplicationError                                          this Booking System is at fault (500)
"""

from enum import StrEnum
from http import HTTPStatus

import msgspec


class OpenBookingError(Exception):
    """Base of all request errors; itself returned only where the specification has no class for the fault.

    `status` is the HTTP status, `name` describes the class and never changes between occurrences, `description`
    tells about this occurrence and `instance` names the faulty thing by URI; `retry_after` is in how many seconds the
    same request can be sent again, where that is known. A class of our own, for a fault that the
    specification has none for, is not `in_specification` and is returned under the name of this base.
    `system_at_fault` says whether this Booking System failed, and not the request.
    """

    in_specification = True
    system_at_fault = False
    status = 400
    name = "The request is not a valid Open Booking API request."

    def __init__(
        self, description: str | None = None, *, instance: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(description or self.name)
        self.description = description
        self.instance = instance
        self.retry_after = retry_after


class RequestTooLargeError(OpenBookingError):
    """The body, or the number of OrderItems in it, is over the limit; the specification has no class of its own."""

    in_specification = False
    status = 413
    name = "The request is larger than this Booking System accepts."


class UnacceptableReplacementError(OpenBookingError):
    """What a Seller wants to give instead cannot be given (OB 8.4.3.1); Brokers never see this."""

    in_specification = False
    name = "The replacement is not acceptable."


class BelongsToAnotherError(OpenBookingError):
    """What is to be published is another's (OB-ID-01); Brokers never see this."""

    in_specification = False
    name = "This belongs to another source or Seller."


class UnsupportedMediaTypeError(OpenBookingError):
    """The body is in another media type or major version (OB 11.1.1); the specification has no class of its own."""

    in_specification = False
    status = 415
    name = "The request body is not in the media type of the Open Booking API."


class NotAcceptableError(OpenBookingError):
    """The `Accept` header excludes the media type of this API (OB 11.1.1); the specification has no class for it."""

    in_specification = False
    status = 406
    name = "The response is available only in the media type of the Open Booking API."


class TemporarilyUnavailableError(OpenBookingError):
    """A read failed for a passing technical reason; the specification has classes for quotes and Orders only."""

    in_specification = False
    system_at_fault = True
    status = 503
    name = "The Booking System is not available just now."


class IncompleteCustomerDetailsError(OpenBookingError):
    """E-02: `customer` is missing, is no Person or Organization, or lacks what is required of it."""

    name = "Customer details supplied are incomplete."


class IncompleteBrokerDetailsError(OpenBookingError):
    """E-03: `broker` is missing, is no Organization with a name, or is sent although there is none."""

    name = "Broker details supplied are incomplete, or do not fit the brokerRole."


class UnnecessaryPaymentDetailsError(OpenBookingError):
    """E-04: `payment` is present although nothing is to be paid."""

    name = "Payment details supplied are unnecessary for an Order without prepayment."


class MissingPaymentDetailsError(OpenBookingError):
    """E-05: `payment` is absent although it is required."""

    name = "Payment details are missing from an Order that requires prepayment."


class IncompletePaymentDetailsError(OpenBookingError):
    """E-06: `payment` lacks its `identifier`."""

    name = "Payment details supplied are incomplete."


class InvalidPaymentDetailsError(OpenBookingError):
    """E-07: `payment` cannot be reconciled."""

    name = "Payment details supplied are not acceptable for reconciliation."


class TotalPaymentDueMismatchError(OpenBookingError):
    """E-08: `totalPaymentDue` is not what this Booking System computes."""

    name = "The totalPaymentDue supplied does not match the total of the Order."


class OrderAlreadyExistsError(OpenBookingError):
    """E-11: the UUID belongs to another Order of these credentials, or to a deleted one."""

    status = 500
    name = "An Order with this UUID already exists, and differs or has been deleted."


class OpportunityHasInsufficientCapacityError(OpenBookingError):
    """E-09: the spaces of an approved OrderProposal are gone."""

    status = 409
    name = "There are not enough spaces left to book the OrderProposal."


class OrderProposalVersionOutdatedError(OpenBookingError):
    """E-12: the OrderProposal has been amended since this version."""

    status = 500
    name = "The OrderProposal has a newer version."


class OrderCreationFailedError(OpenBookingError):
    """E-13: the Order was not created, for a reason that has no class of its own."""

    status = 500
    name = "The Order could not be created."


class UnexpectedOrderTypeError(OpenBookingError):
    """E-14: the body's `@type` is not the one of the endpoint."""

    status = 500
    name = "The type of the Order supplied is not the one this endpoint expects."


class SellerNotFoundError(OpenBookingError):
    """E-15: the `seller` is unknown."""

    status = 500
    name = "The Seller supplied is not known."


class SellerMismatchError(OpenBookingError):
    """E-16: an OrderItem belongs to another Seller."""

    status = 500
    name = "Not all OrderItems belong to the Seller of the Order."


class CancellationNotPermittedError(OpenBookingError):
    """E-17: the rules of the Offer forbid the cancellation; `description` can be shown to the Customer."""

    name = "Cancellation is not permitted."


class OrderItemNotWithinOrderError(OpenBookingError):
    """E-18: an OrderItem `@id` belongs to another Order."""

    status = 500
    name = "An OrderItem supplied is not within this Order."


class OrderItemIdInvalidError(OpenBookingError):
    """E-19: an OrderItem `@id` is malformed or unknown."""

    status = 500
    name = "An OrderItem supplied has an invalid identifier."


class UnauthenticatedError(OpenBookingError):
    """E-34: the request carries no credentials."""

    status = 403
    name = "The request is not authenticated."


class NoAPITokenError(OpenBookingError):
    """E-35: the request carries no API key."""

    status = 403
    name = "The request carries no API key."


class InvalidAPITokenError(OpenBookingError):
    """E-36: the API key is malformed, unknown or withdrawn."""

    status = 401
    name = "The API key is not valid."


class InvalidAuthorizationDetailsError(OpenBookingError):
    """E-37: the credentials do not cover this Seller."""

    status = 401
    name = "The credentials are not authorised for this Seller."


class TemporarilyUnableToProduceOrderQuoteError(OpenBookingError):
    """E-38: C1 or C2 failed for a passing technical reason."""

    system_at_fault = True
    status = 503
    name = "The OrderQuote cannot be produced just now."


class TemporarilyUnableToCreateOrderError(OpenBookingError):
    """E-39: B failed for a passing technical reason; the same request can be repeated."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be created just now."


class TemporarilyUnableToUpdateOrderError(OpenBookingError):
    """E-40: PATCH failed for a passing technical reason."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be updated just now."


class TemporarilyUnableToDeleteOrderError(OpenBookingError):
    """E-41: DELETE failed for a passing technical reason."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be deleted just now."


class UnknownOrderError(OpenBookingError):
    """E-42: these credentials have no such Order."""

    status = 404
    name = "The Order is not known."


class UnknownOrIncorrectEndpointError(OpenBookingError):
    """E-43: no endpoint lives at this path."""

    status = 404
    name = "There is no endpoint at this path."


class NotFoundError(OpenBookingError):
    """E-44: some other resource does not exist."""

    status = 404
    name = "The resource does not exist."


class MethodNotAllowedError(OpenBookingError):
    """E-45: the endpoint does not know this verb."""

    status = 405
    name = "The endpoint does not support this verb."


class PatchContainsExcessivePropertiesError(OpenBookingError):
    """E-46: a PATCH carries more than may be changed."""

    name = "The PATCH contains properties that cannot be changed."


class PatchNotAllowedOnPropertyError(OpenBookingError):
    """E-47: a PATCH sets a changeable property to a forbidden value."""

    name = "The PATCH sets a property to a value that is not allowed."


class GoneError(OpenBookingError):
    """E-48: the Order has been deleted."""

    status = 410
    name = "The Order has been deleted."


class TooManyRequestsError(OpenBookingError):
    """E-49: these credentials send more than they may."""

    status = 429
    name = "Too many requests have been sent with these credentials."


class InternalApplicationError(OpenBookingError):
    """E-51: a fault of this Booking System."""

    system_at_fault = True
    status = 500
    name = "The Booking System met an unexpected fault."


def failures() -> frozenset[str]:
    """Names of the classes by which this Booking System reports that it has failed."""
    return frozenset(error.__name__ for error in OpenBookingError.__subclasses__() if error.system_at_fault)


def refused_with_500() -> frozenset[str]:
    """Names of the classes to which the specification gives 500, although the request is at fault (OB 10.2.2).

    After one of these a Broker begins anew, with another UUID (OB-BRK-02).
    """
    refused = (error for error in OpenBookingError.__subclasses__() if not error.system_at_fault)
    return frozenset(error.__name__ for error in refused if error.status == HTTPStatus.INTERNAL_SERVER_ERROR)


class ItemErrorType(StrEnum):
    """Classes of faults of one OrderItem, all 409 (OB 10.2.2.3)."""

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
        """What the class is about, the same for each occurrence."""
        return _ITEM_ERROR_NAMES[self]


ITEM_ERROR_STATUS = 409

_ITEM_ERROR_NAMES = {
    ItemErrorType.INCOMPLETE_ORDER_ITEM: "The OrderItem lacks its orderedItem or its acceptedOffer.",
    ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS: "The attendee lacks details that are required.",
    ItemErrorType.INCOMPLETE_INTAKE_FORM: "A question that must be answered has not been.",
    ItemErrorType.INVALID_INTAKE_FORM: "An answer is not one that the question allows.",
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
    """A fault of one OrderItem, carried in the `error` of that item.

    `description` tells about this occurrence; it is about the property with the URI `instance`, or about the question
    with the key `field`.
    """

    type: ItemErrorType
    description: str | None = None
    instance: str | None = None
    field: str | None = None
