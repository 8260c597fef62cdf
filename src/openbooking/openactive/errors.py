"""The error classes of the specification, with their statuses (OB 10.2).

A fault of a whole request is raised as an exception of its class. `web/errors.py` answers with that class and its
status, and `jsonld/write_order.py` writes the body. A fault of a single OrderItem is a value, which the OrderQuote or
Order carries (`item_errors.py`). `jsonld/read_order.py` lists which fault of a request body raises which class.

    BrokerError                                                               the root of all that a Broker meets
    └── OpenBookingError
        ├── IncompleteCustomerDetailsError, IncompleteBrokerDetailsError, …   the request is at fault (4xx)
        ├── OrderAlreadyExistsError, SellerMismatchError, …                   the request is at fault (500)
        ├── TemporarilyUnable…Error                                           try again with the same UUID (503)
        └── InternalApplicationError                                          this Booking System is at fault (500)

A Broker raises the same classes for the errors that it receives, and `retry` says whether another request can help. The
other errors of its client are in `broker/errors.py`.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from http import HTTPStatus


class Retry(Enum):
    """Whether a Broker can send a request again after an error (OB 5.4.6)."""

    NEVER = auto()  # The request must change first, with the same UUID.
    SAME_UUID = auto()  # The same request can succeed later.
    NEW_UUID = auto()  # The flow can begin again with another UUID, once the old Order is deleted.


def retry_after_status(status: int) -> Retry:
    """Return what a Broker can do after an error with this HTTP status (OB-BRK-02, OB-BRK-03, OB-BRK-09)."""
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return Retry.SAME_UUID
    return Retry.NEW_UUID if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Retry.NEVER


class BrokerError(Exception):
    """The root of the errors that a Broker meets: those that a Booking System reports, and those of the client.

    Attributes:
        request_id: The id under which the Booking System knows the request; None if there is none.
        reply_status: The HTTP status of the reply of the Booking System; None if the error is not about a reply.
    """

    request_id: str | None = None
    reply_status: int | None = None

    @property
    def retry(self) -> Retry:
        """Whether the same call can succeed later (OB 5.4.6)."""
        return Retry.NEVER

    @property
    def quote_again(self) -> bool:
        """Whether another C2 with the same UUID shows what has changed (OB-BRK-04)."""
        return False

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the OrderItems at fault; empty if the error is not about single items."""
        return ()


class OpenBookingError(BrokerError):
    """A fault of a request for which the specification has no class, and the base of all request errors.

    Attributes:
        in_specification: Whether the specification defines the class. Other classes are reported as `OpenBookingError`.
        system_at_fault: Whether this Booking System failed; otherwise the request is at fault.
        status: The HTTP status.
        name: The `name` property, which is the same for all errors of the class.
        description: The `description` property, which explains this one error; None to leave it out.
        instance: The URI of the faulty property or object; None to leave it out.
        retry_after: The seconds after which the same request can be sent again; None if not known.
        request_id: The id under which the Booking System knows the request; None if it named none.
        reply_status: The HTTP status of the reply that a Broker received, which may differ from `status`.
        error_type: The name of the error class in the reply, which may be one that this package does not know.
        quote_again: Whether another C2 with the same UUID shows what has changed (OB-BRK-04).
    """

    in_specification = True
    system_at_fault = False
    quote_again = False
    status = 400
    _retry: Retry | None = None
    name = "The request is not a valid Open Booking API request."

    def __init__(
        self, description: str | None = None, *, instance: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(description or self.name)
        self.description = description
        self.instance = instance
        self.retry_after = retry_after
        self.error_type = type(self).__name__

    @classmethod
    def reported_name(cls) -> str:
        """Return the `@type` of replies with this error: the name of a class of the specification."""
        return cls.__name__ if cls.in_specification else OpenBookingError.__name__

    @property
    def retry(self) -> Retry:
        """Whether a Broker can send the request again."""
        return self._retry or retry_after_status(self.reply_status or self.status)


class RequestTooLargeError(OpenBookingError):
    """The body has too many bytes or too many OrderItems. The specification has no class for this error."""

    in_specification = False
    status = 413
    name = "The request is larger than this Booking System accepts."


class UnacceptableReplacementError(OpenBookingError):
    """The replacement of an OrderItem by its Seller is not possible (OB 8.4.3.1). Brokers never receive this error."""

    in_specification = False
    name = "The replacement is not acceptable."


class BelongsToAnotherError(OpenBookingError):
    """A published item belongs to another source or Seller (OB-ID-01). Brokers never receive this error."""

    in_specification = False
    name = "This belongs to another source or Seller."


class UnsupportedMediaTypeError(OpenBookingError):
    """The body is not in version 1 of the booking media type (OB 11.1.1). The specification has no such class."""

    in_specification = False
    status = 415
    name = "The request body is not in the media type of the Open Booking API."


class NotAcceptableError(OpenBookingError):
    """The `Accept` header excludes the media type of this API (OB 11.1.1). The specification has no such class."""

    in_specification = False
    status = 406
    name = "The response is available only in the media type of the Open Booking API."


class TemporarilyUnavailableError(OpenBookingError):
    """A read failed for a temporary reason. The specification has such classes for quotes and Orders only."""

    in_specification = False
    system_at_fault = True
    status = 503
    name = "The Booking System is not available just now."


class IncompleteCustomerDetailsError(OpenBookingError):
    """E-02: `customer` is missing, is neither a Person nor an Organization, or lacks required properties."""

    name = "Customer details supplied are incomplete."


class IncompleteBrokerDetailsError(OpenBookingError):
    """E-03: `broker` is missing, is not an Organization with a name, or is present although the role is NoBroker."""

    name = "Broker details supplied are incomplete, or do not fit the brokerRole."


class UnnecessaryPaymentDetailsError(OpenBookingError):
    """E-04: `payment` is present although no payment is due."""

    name = "Payment details supplied are unnecessary for an Order without prepayment."


class MissingPaymentDetailsError(OpenBookingError):
    """E-05: `payment` is absent although it is required."""

    name = "Payment details are missing from an Order that requires prepayment."


class IncompletePaymentDetailsError(OpenBookingError):
    """E-06: `payment` lacks its `identifier`."""

    name = "Payment details supplied are incomplete."


class InvalidPaymentDetailsError(OpenBookingError):
    """E-07: the Seller cannot reconcile the `payment`, or it is not the kind of payment that was quoted."""

    name = "Payment details supplied are not acceptable for reconciliation."


class TotalPaymentDueMismatchError(OpenBookingError):
    """E-08: `totalPaymentDue` differs from the total that this Booking System calculates."""

    name = "The totalPaymentDue supplied does not match the total of the Order."


class OrderAlreadyExistsError(OpenBookingError):
    """E-11: the UUID belongs to a different or deleted Order of this Booking Partner."""

    status = 500
    name = "An Order with this UUID already exists, and differs or has been deleted."


class OpportunityHasInsufficientCapacityError(OpenBookingError):
    """E-09: too few spaces are left to book an approved OrderProposal."""

    status = 409
    quote_again = True
    name = "There are not enough spaces left to book the OrderProposal."


class UnableToProcessOrderItemError(OpenBookingError):
    """E-10: P or B has faulty items. This Booking System reports the errors of the items instead (AMB-10)."""

    status = 409
    quote_again = True
    name = "Items of the Order cannot be processed."


class OrderProposalVersionOutdatedError(OpenBookingError):
    """E-12: the OrderProposal was amended after the version that the request names."""

    status = 500
    name = "The OrderProposal has a newer version."


class OrderCreationFailedError(OpenBookingError):
    """E-13: the Order was not created, for a reason that no other class describes."""

    status = 500
    name = "The Order could not be created."


class UnexpectedOrderTypeError(OpenBookingError):
    """E-14: the `@type` of the body is not the type that the endpoint expects."""

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
    _retry = Retry.NEVER


class OrderItemIdInvalidError(OpenBookingError):
    """E-19: an OrderItem `@id` is malformed or unknown."""

    status = 500
    name = "An OrderItem supplied has an invalid identifier."
    _retry = Retry.NEVER


class UnauthenticatedError(OpenBookingError):
    """E-34: the request carries no credentials."""

    status = 403
    name = "The request is not authenticated."


class NoAPITokenError(OpenBookingError):
    """E-35: the request carries no API key."""

    status = 403
    name = "The request carries no API key."


class InvalidAPITokenError(OpenBookingError):
    """E-36: the API key is malformed, unknown or revoked."""

    status = 401
    name = "The API key is not valid."


class InvalidAuthorizationDetailsError(OpenBookingError):
    """E-37: the Seller has not authorised the Booking Partner with these credentials."""

    status = 401
    name = "The credentials are not authorised for this Seller."


class TemporarilyUnableToProduceOrderQuoteError(OpenBookingError):
    """E-38: C1 or C2 failed for a temporary reason."""

    system_at_fault = True
    status = 503
    name = "The OrderQuote cannot be produced just now."


class TemporarilyUnableToCreateOrderError(OpenBookingError):
    """E-39: B failed for a temporary reason; the same request can be repeated."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be created just now."


class TemporarilyUnableToUpdateOrderError(OpenBookingError):
    """E-40: PATCH failed for a temporary reason."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be updated just now."


class TemporarilyUnableToDeleteOrderError(OpenBookingError):
    """E-41: DELETE failed for a temporary reason."""

    system_at_fault = True
    status = 503
    name = "The Order cannot be deleted just now."


class UnknownOrderError(OpenBookingError):
    """E-42: the Booking Partner has no Order with this UUID."""

    status = 404
    name = "The Order is not known."


class UnknownOrIncorrectEndpointError(OpenBookingError):
    """E-43: no endpoint has this path."""

    status = 404
    name = "There is no endpoint at this path."


class NotFoundError(OpenBookingError):
    """E-44: a resource other than an Order does not exist."""

    status = 404
    name = "The resource does not exist."


class MethodNotAllowedError(OpenBookingError):
    """E-45: the endpoint does not support this method."""

    status = 405
    name = "The endpoint does not support this verb."


class PatchContainsExcessivePropertiesError(OpenBookingError):
    """E-46: a PATCH contains properties that cannot be changed."""

    name = "The PATCH contains properties that cannot be changed."


class PatchNotAllowedOnPropertyError(OpenBookingError):
    """E-47: a PATCH sets a changeable property to a forbidden value."""

    name = "The PATCH sets a property to a value that is not allowed."


class GoneError(OpenBookingError):
    """E-48: the Order has been deleted."""

    status = 410
    name = "The Order has been deleted."


class TooManyRequestsError(OpenBookingError):
    """E-49: the Booking Partner has sent more requests than its limit allows."""

    status = 429
    name = "Too many requests have been sent with these credentials."


class InternalApplicationError(OpenBookingError):
    """E-51: this Booking System has a fault."""

    system_at_fault = True
    status = 500
    name = "The Booking System met an unexpected fault."


class InternalLibraryError(InternalApplicationError):
    """E-52: a library of the Booking System has a fault. This Booking System reports E-51 instead."""

    name = "A library of the Booking System met an unexpected fault."


class InternalLibraryConfigurationError(InternalApplicationError):
    """E-53: a library of the Booking System is not configured. This Booking System reports E-51 instead."""

    name = "A library of the Booking System is not configured correctly."


def _subclasses(base: type[OpenBookingError]) -> Iterator[type[OpenBookingError]]:
    for error in base.__subclasses__():
        yield error
        yield from _subclasses(error)


# The classes of the specification by name, as the `@type` of an error names them.
ERROR_CLASSES: Mapping[str, type[OpenBookingError]] = {
    error.__name__: error for error in _subclasses(OpenBookingError) if error.in_specification
}


def system_error_names() -> frozenset[str]:
    """Return the names of the classes that report a failure of this Booking System, not of the request."""
    return frozenset(error.__name__ for error in OpenBookingError.__subclasses__() if error.system_at_fault)


def request_error_names_with_500() -> frozenset[str]:
    """Return the names of the classes with status 500 although the request is at fault (OB 10.2.2).

    After an error of such a class, a Broker starts again with another UUID (OB-BRK-02).
    """
    request_errors = (error for error in OpenBookingError.__subclasses__() if not error.system_at_fault)
    return frozenset(error.__name__ for error in request_errors if error.status == HTTPStatus.INTERNAL_SERVER_ERROR)
