"""What a Broker does about each error class that it can receive, with the requirement behind the class.

The causes are in `errors.py`: in the docstrings of the classes, and in `ItemErrorType.error_name`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Remedy(NamedTuple):
    """The requirement behind an error class, and what a Broker does about it."""

    requirement: str
    text: str


_AGAIN = "The Booking System could not do it just now: send the same request with the same UUID again, after a pause."

REMEDIES: Mapping[str, Remedy] = {
    "OpenBookingError": Remedy("E-01", "The request is no valid request of this API: the description says why."),
    "RequestTooLargeError": Remedy("E-01", "Send fewer OrderItems, or a smaller body."),
    "UnsupportedMediaTypeError": Remedy("OB-MT-01", "Send the media type of the Open Booking API in Content-Type."),
    "NotAcceptableError": Remedy("OB-MT-02", "Let Accept include the media type of the Open Booking API."),
    "TemporarilyUnavailableError": Remedy("OB-BRK-03", _AGAIN),
    "IncompleteCustomerDetailsError": Remedy("E-02", "Send `customer` as a Person with an email, or an Organization."),
    "IncompleteBrokerDetailsError": Remedy(
        "E-03",
        "Send `broker` with a name if `brokerRole` is AgentBroker or ResellerBroker, and omit it otherwise.",
    ),
    "UnnecessaryPaymentDetailsError": Remedy("E-04", "Leave out `payment`: nothing is paid in advance."),
    "MissingPaymentDetailsError": Remedy("E-05", "Send `payment` with an identifier: this Order is paid in advance."),
    "IncompletePaymentDetailsError": Remedy("E-06", "Send `payment` with an `identifier`."),
    "InvalidPaymentDetailsError": Remedy("E-07", "Send the `payment` that the Seller reconciles with."),
    "TotalPaymentDueMismatchError": Remedy("E-08", "Send C2 again, and ask the Customer to agree to the new total."),
    "OpportunityHasInsufficientCapacityError": Remedy(
        "OB-BRK-04", "The spaces were sold meanwhile: send C2 again to see what is left (E-09, E-32)."
    ),
    "UnableToProcessOrderItemError": Remedy("OB-BRK-04", "Send C2 again: its items say what is wrong (E-10)."),
    "OrderAlreadyExistsError": Remedy(
        "OB-BRK-01", "The UUID belongs to another Order, or to a deleted one: begin again with a new UUID (E-11)."
    ),
    "OrderProposalVersionOutdatedError": Remedy(
        "OB-BRK-08", "The proposal was amended: read its feed, and ask the Customer about the new version (E-12)."
    ),
    "OrderCreationFailedError": Remedy(
        "E-13", "No Order was made. Begin again with a new UUID; a proposal must be accepted by the Seller before B."
    ),
    "UnexpectedOrderTypeError": Remedy("E-14", "Send the `@type` that the endpoint expects."),
    "SellerNotFoundError": Remedy("E-15", "Send the `@id` of the Seller from the open feed."),
    "SellerMismatchError": Remedy("E-16", "Book the items of each Seller in an Order of its own."),
    "CancellationNotPermittedError": Remedy("E-17", "Show the description to the Customer: the Offer forbids it."),
    "OrderItemNotWithinOrderError": Remedy("E-18", "Name OrderItems of the Order in the path."),
    "OrderItemIdInvalidError": Remedy("E-19", "Send the `@id` of an OrderItem as B or the Orders feed returned it."),
    "UnauthenticatedError": Remedy("E-34", "Send credentials in the header Authorization."),
    "NoAPITokenError": Remedy("E-35", "Send the API key in the header Authorization, as `Bearer KEY`."),
    "InvalidAPITokenError": Remedy("E-36", "The API key is unknown or was replaced: send the present key."),
    "InvalidAuthorizationDetailsError": Remedy("E-37", "The Seller has not allowed this Booking Partner to book."),
    "TemporarilyUnableToProduceOrderQuoteError": Remedy("E-38", _AGAIN),
    "TemporarilyUnableToCreateOrderError": Remedy("OB-BRK-03", f"{_AGAIN} B has no second effect (E-39)."),
    "TemporarilyUnableToUpdateOrderError": Remedy("E-40", _AGAIN),
    "TemporarilyUnableToDeleteOrderError": Remedy("E-41", _AGAIN),
    "UnknownOrderError": Remedy("E-42", "These credentials have no Order with this UUID. A deletion is finished then."),
    "UnknownOrIncorrectEndpointError": Remedy("OB-BRK-13", "Use only the paths of the specification (E-43)."),
    "NotFoundError": Remedy("E-44", "The resource does not exist."),
    "MethodNotAllowedError": Remedy("OB-BRK-13", "Use only the methods of the specification (E-45)."),
    "PatchContainsExcessivePropertiesError": Remedy("E-46", "Send only the properties that a PATCH may change."),
    "PatchNotAllowedOnPropertyError": Remedy("E-47", "Send a value to which the property may be changed."),
    "GoneError": Remedy("E-48", "The Order was deleted."),
    "TooManyRequestsError": Remedy(
        "OB-BRK-09", "Wait as long as Retry-After says, and send the same request again (E-49, OB-BRK-03)."
    ),
    "InternalApplicationError": Remedy(
        "OB-BRK-02", "Delete the Order until the answer is 204 or 404, and begin again with a new UUID (E-51)."
    ),
    "IncompleteOrderItemError": Remedy("E-21", "Send `orderedItem` and `acceptedOffer` in every OrderItem."),
    "IncompleteAttendeeDetailsError": Remedy("E-20", "Ask for what `attendeeDetailsRequired` names, and send it."),
    "IncompleteIntakeFormError": Remedy("E-22", "Ask the required questions of the intake form, and send the answers."),
    "InvalidIntakeFormError": Remedy("E-23", "Send an answer that the question allows: the description says which."),
    "UnacceptableOfferError": Remedy("E-24", "Choose an Offer of the Opportunity or of its parent."),
    "UnknownOfferError": Remedy("E-25", "Read the open feed: there is no such Offer."),
    "UnknownOpportunityError": Remedy("E-26", "Read the open feed: there is no such Opportunity."),
    "InvalidOpportunityOrOfferIdError": Remedy("E-27", "Send the `@id` of the open feed without a change."),
    "OpportunityOfferPairNotBookableError": Remedy("E-28", "Read the open feed: it is past, off sale or not open yet."),
    "OpportunityIntractableError": Remedy("E-29", "The Opportunity cannot be booked: offer another one."),
    "OpportunityIsInConflictError": Remedy("E-30", "Book these items in Orders of their own."),
    "OpportunityIsFullError": Remedy("E-31", "No spaces are left: offer another Opportunity to the Customer."),
    "OpportunityCapacityIsReservedByLeaseError": Remedy("E-33", "The spaces are held for others: try again later."),
}
