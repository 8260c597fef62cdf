"""The details of `broker` and `customer` that each role requires (OB 6, 10.1.5, 10.1.9)."""

from collections.abc import Mapping

from openbooking.booking.model.order import Reflected
from openbooking.booking.model.order_request import OrderRequest
from openbooking.openactive.errors import IncompleteBrokerDetailsError, IncompleteCustomerDetailsError
from openbooking.openactive.terms import BrokerRole

_REQUIRED_OF_CUSTOMER = {"Person": ("email",), "Organization": ("email", "name", "address")}


def check_broker(request: OrderRequest) -> None:
    """Raise IncompleteBrokerDetailsError unless `broker` fits the role (OB-VAL-06, OB-ROLE-03, OB-ROLE-05)."""
    if request.broker_role is BrokerRole.NO_BROKER:
        if request.broker is not None:
            raise IncompleteBrokerDetailsError("With brokerRole NoBroker there must be no broker.")
        return
    if request.broker is None:
        raise IncompleteBrokerDetailsError("The broker is missing.")
    if request.broker.get("@type") != "Organization" or not _has_text(request.broker, "name"):
        raise IncompleteBrokerDetailsError("The broker must be an Organization with a name.")


def check_customer(request: OrderRequest) -> None:
    """Raise IncompleteCustomerDetailsError unless `customer` is complete; a reseller may omit it."""
    if request.customer is None:
        if request.broker_role is BrokerRole.RESELLER:
            return
        raise IncompleteCustomerDetailsError("The customer is missing.")
    required = _REQUIRED_OF_CUSTOMER.get(str(request.customer.get("@type")))
    if required is None:
        raise IncompleteCustomerDetailsError("The customer must be a Person or an Organization.")
    missing = [name for name in required if not _has_value(request.customer, name)]
    if missing:
        raise IncompleteCustomerDetailsError(f"The customer lacks {', '.join(missing)}.")


def _has_text(thing: Reflected, name: str) -> bool:
    value = thing.get(name)
    return isinstance(value, str) and bool(value.strip())


def _has_value(thing: Reflected, name: str) -> bool:
    """Return whether the property has a value: a text that is not blank, or, for an address, an object."""
    value = thing.get(name)
    return bool(value) if name == "address" and isinstance(value, Mapping) else _has_text(thing, name)
