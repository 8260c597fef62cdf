"""Members of the wrong type count as absent, or are read by the function that the caller passes for them."""

from typing import Any

import msgspec
import pytest

from openbooking.jsonld.read_message import keep_value, read_message
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.messages import OrderItemRequest, OrderProposalPatch, Payment

ITEM = {"@type": "OrderItem", "position": 1, "attendee": {"@type": "Person"}}


def refuse(value: Any) -> None:
    raise OpenBookingError(f"{value} is refused.")


def test_object_that_fits_is_read_as_it_is() -> None:
    read = read_message(ITEM, OrderItemRequest, {"position": refuse, "attendee": refuse})
    assert read == OrderItemRequest(position=1, attendee={"@type": "Person"})


@pytest.mark.spec("OB-MT-10")
@pytest.mark.parametrize("attendee", ["Ann", 5, ["Ann"], True])
def test_member_that_does_not_fit_is_absent(attendee: Any) -> None:
    assert read_message({**ITEM, "attendee": attendee}, OrderItemRequest, {}) == OrderItemRequest(position=1)


@pytest.mark.spec("OB-MT-10")
def test_other_members_are_kept_when_one_does_not_fit() -> None:
    sent = {"@type": "Cheque", "identifier": "1", "name": 5, "accountId": None}
    assert read_message(sent, Payment, {}) == Payment(identifier="1")


@pytest.mark.parametrize("position", ["1", 1.5, True, None, -1, 2**31])
def test_function_for_a_member_that_does_not_fit_is_called_with_its_value(position: Any) -> None:
    with pytest.raises(OpenBookingError, match=f"{position} is refused"):
        read_message({**ITEM, "position": position}, OrderItemRequest, {"position": refuse})


def test_function_for_a_required_member_is_called_when_the_member_is_missing() -> None:
    with pytest.raises(OpenBookingError, match="None is refused"):
        read_message({"@type": "OrderItem"}, OrderItemRequest, {"position": refuse, "attendee": refuse})


@pytest.mark.parametrize("sent", [{}, {"position": "1"}])
def test_required_member_without_a_function_is_an_error(sent: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"position|`int`"):
        read_message(sent, OrderItemRequest, {})


def test_value_that_does_not_fit_can_be_kept_for_a_command() -> None:
    sent = {"@type": "OrderProposal", "orderCustomerNote": 5, "orderProposalStatus": {}}
    read = read_message(sent, OrderProposalPatch, {"orderCustomerNote": keep_value})
    assert msgspec.structs.asdict(read) == {"context": None, "order_proposal_status": None, "order_customer_note": 5}
