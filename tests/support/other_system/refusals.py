"""The errors of the other Booking System (OB 10.2)."""

from typing import Any

STATUSES = {
    "CancellationNotPermittedError": 400,
    "GoneError": 410,
    "IncompleteBrokerDetailsError": 400,
    "IncompleteCustomerDetailsError": 400,
    "InvalidAPITokenError": 401,
    "InvalidAuthorizationDetailsError": 401,
    "MethodNotAllowedError": 405,
    "MissingPaymentDetailsError": 400,
    "NoAPITokenError": 403,
    "OpportunityHasInsufficientCapacityError": 409,
    "OrderAlreadyExistsError": 500,
    "OrderCreationFailedError": 500,
    "OrderItemIdInvalidError": 500,
    "OrderProposalVersionOutdatedError": 500,
    "PatchNotAllowedOnPropertyError": 400,
    "SellerMismatchError": 500,
    "SellerNotFoundError": 500,
    "TotalPaymentDueMismatchError": 400,
    "UnableToProcessOrderItemError": 409,
    "UnauthenticatedError": 403,
    "UnexpectedOrderTypeError": 500,
    "UnknownOrIncorrectEndpointError": 404,
    "UnknownOrderError": 404,
    "UnnecessaryPaymentDetailsError": 400,
}


class RefusalError(Exception):
    """A request is refused with one error."""

    def __init__(self, type_: str, description: str = "") -> None:
        super().__init__(f"{type_}: {description}")
        self.type, self.description, self.status = type_, description, STATUSES[type_]

    def document(self, *, full: bool) -> dict[str, Any]:
        """Return the error, with its `@type` alone or with all properties except `requestId`."""
        if not full:
            return {"@type": self.type}
        more = {"description": self.description} if self.description else {}
        return {"@type": self.type, "name": f"{self.type} occurred.", "statusCode": self.status, **more}


def item_error(type_: str, description: str = "", instance: str = "", *, full: bool) -> dict[str, Any]:
    """Return the error of an OrderItem (OB 10.2.2.3)."""
    if not full:
        return {"@type": type_, **({"instance": instance} if instance else {})}
    optional = {"description": description, "instance": instance}
    given = {name: value for name, value in optional.items() if value}
    return {"@type": type_, "name": f"{type_} occurred.", "statusCode": 409, **given}
