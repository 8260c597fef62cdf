"""The error classes have the names and statuses of the specification."""

import re
from pathlib import Path

import pytest

from openbooking.openactive.errors import (
    ERROR_CLASSES,
    OpenBookingError,
    OrderItemIdInvalidError,
    Retry,
    TooManyRequestsError,
    UnknownOrderError,
    request_error_names_with_500,
    retry_after_status,
    system_error_names,
)
from openbooking.openactive.item_errors import ITEM_ERROR_STATUS, ItemErrorType
from support.requirements_catalogue import error_statuses

NO_CLASSES = {"InternalOpenBookingError"}  # only its subclasses are returned (OB-ERR-06)


def classes(base: type[OpenBookingError] = OpenBookingError) -> list[type[OpenBookingError]]:
    return [found for cls in base.__subclasses__() for found in (cls, *classes(cls)) if found.in_specification]


@pytest.mark.spec("OB-ERR-01", "OB-ERR-04")
def test_every_class_has_the_status_of_the_catalogue() -> None:
    statuses = error_statuses()
    assert {cls.__name__: cls.status for cls in classes()} == {
        cls.__name__: statuses[cls.__name__] for cls in classes()
    }


@pytest.mark.spec("OB-ERR-08")
def test_item_errors_are_conflicts() -> None:
    assert {error_statuses()[type_] for type_ in ItemErrorType} == {ITEM_ERROR_STATUS}


def test_every_class_of_the_catalogue_exists() -> None:
    ours = {cls.__name__ for cls in classes()} | set(ItemErrorType)
    assert error_statuses().keys() - ours == NO_CLASSES


@pytest.mark.spec("OB-ERR-03")
def test_every_class_has_a_different_name() -> None:
    names = [cls.name for cls in classes()] + [type_.error_name for type_ in ItemErrorType]
    assert len(set(names)) == len(names)


def test_every_class_is_found_by_its_name() -> None:
    assert set(ERROR_CLASSES.values()) == set(classes())
    assert all(cls.__name__ == name for name, cls in ERROR_CLASSES.items())


@pytest.mark.spec("OB-BRK-02", "OB-BRK-03", "OB-BRK-09")
@pytest.mark.parametrize(
    ("status", "retry"),
    [(400, Retry.NEVER), (409, Retry.NEVER), (429, Retry.SAME_UUID), (500, Retry.NEW_UUID), (503, Retry.SAME_UUID)],
)
def test_status_decides_whether_a_request_is_sent_again(status: int, retry: Retry) -> None:
    assert retry_after_status(status) is retry


def test_reply_status_overrides_the_status_of_the_class() -> None:
    busy = UnknownOrderError()
    busy.reply_status = 503
    assert (UnknownOrderError().retry, busy.retry) == (Retry.NEVER, Retry.SAME_UUID)
    assert TooManyRequestsError().retry is Retry.SAME_UUID
    assert OrderItemIdInvalidError().retry is Retry.NEVER


ERRORS = Path(__file__).parent.parent.parent / "docs" / "reference" / "errors.md"


@pytest.mark.spec("OB-ERR-01")
def test_documentation_lists_each_500_class_and_whether_the_system_is_at_fault() -> None:
    rows = re.findall(
        r"^\| `(\w+)`(?: \(in Python `\w+`\))? \| (500|503) \| the (\w+) \|",
        ERRORS.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    expected = {(name, "500", "request") for name in request_error_names_with_500()}
    for cls in OpenBookingError.__subclasses__():
        if cls.__name__ in system_error_names():
            expected.add((cls.__name__, str(cls.status), "system"))
    assert set(rows) == expected
    assert len(rows) == len(expected)
