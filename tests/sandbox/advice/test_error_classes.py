"""The table of error classes: complete, with requirements that exist."""

import json
from datetime import UTC, datetime

import pytest

from openbooking.openactive.errors import BelongsToAnotherError, OpenBookingError, UnacceptableReplacementError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.remedies import REMEDIES
from openbooking.sandbox.advice.error_classes import explain_errors
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation
from support.requirements_catalogue import requirement_ids

# Brokers never receive these.
OF_SELLERS = {UnacceptableReplacementError, BelongsToAnotherError}


def answered(status: int, told: dict[str, object], *, arrived: bool = True) -> Exchange:
    return Exchange(
        number=4,
        at=datetime(2027, 3, 1, tzinfo=UTC),
        began=0,
        operation=Operation.B,
        method="PUT",
        path="/api/orders/x",
        status=status,
        answer=json.dumps(told),
        arrived=arrived,
    )


def test_every_error_class_has_a_remedy() -> None:
    request_errors = {
        error.__name__
        for error in OpenBookingError.__subclasses__()
        if error not in OF_SELLERS and error.__module__ == OpenBookingError.__module__
    }
    received = request_errors | {error.value for error in ItemErrorType} | {OpenBookingError.__name__}
    # The specification has this class for P and B (AMB-10).
    assert set(REMEDIES) == received | {"UnableToProcessOrderItemError"}


def test_every_requirement_of_the_table_exists() -> None:
    assert {remedy.requirement for remedy in REMEDIES.values()} <= requirement_ids()


@pytest.mark.parametrize(
    ("status", "class_", "requirement"),
    [
        (400, "TotalPaymentDueMismatchError", "E-08"),
        (415, "OpenBookingError", "OB-MT-01"),
        (413, "OpenBookingError", "E-01"),
        (400, "OpenBookingError", "E-01"),
        (503, "OpenBookingError", "OB-BRK-03"),
    ],
)
def test_an_error_is_explained_by_its_class(status: int, class_: str, requirement: str) -> None:
    (remark,) = explain_errors(answered(status, {"@type": class_}))
    assert (remark.number, remark.requirement, remark.is_error) == (4, requirement, True)
    assert remark.text.startswith(f"{class_}: ")


def test_errors_of_items_are_explained_once() -> None:
    full = {"@type": "OrderItem", "error": [{"@type": "OpportunityIsFullError"}]}
    order = answered(409, {"@type": "OrderQuote", "orderedItem": [full, full, {"@type": "OrderItem"}, "x"]})
    assert [remark.requirement for remark in explain_errors(order)] == ["E-31"]


def test_an_answer_that_did_not_arrive_is_not_explained() -> None:
    assert list(explain_errors(answered(404, {"@type": "UnknownOrderError"}, arrived=False))) == []


@pytest.mark.parametrize("told", [{}, {"@type": "Order"}, {"@type": "StrangeError"}])
def test_an_answer_without_a_known_error_is_not_explained(told: dict[str, object]) -> None:
    assert list(explain_errors(answered(404, told))) == []
