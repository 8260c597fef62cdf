"""The error classes have the names and statuses of the specification."""

import re
from pathlib import Path

import pytest

from openbooking.openactive.errors import (
    ITEM_ERROR_STATUS,
    ItemErrorType,
    OpenBookingError,
    request_error_names_with_500,
    system_error_names,
)
from support.requirements_catalogue import error_statuses

# Classes of the specification that this Booking System does not return, each with the reason.
NOT_OFFERED = {
    "UnableToProcessOrderItemError",  # AMB-10: the reply to B has the errors of the items
    "InternalOpenBookingError",  # a base class
    "InternalLibraryError",  # reported as InternalApplicationError
    "InternalLibraryConfigurationError",  # reported as InternalApplicationError
}


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
    assert error_statuses().keys() - ours == NOT_OFFERED


@pytest.mark.spec("OB-ERR-03")
def test_every_class_has_a_different_name() -> None:
    names = [cls.name for cls in classes()] + [type_.error_name for type_ in ItemErrorType]
    assert len(set(names)) == len(names)


ERRORS = Path(__file__).parent.parent.parent / "docs" / "reference" / "errors.md"


@pytest.mark.spec("OB-ERR-01")
def test_documentation_lists_each_500_class_and_whether_the_system_is_at_fault() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (500|503) \| the (\w+) \|", ERRORS.read_text(encoding="utf-8"), re.MULTILINE)
    expected = {(name, "500", "request") for name in request_error_names_with_500()}
    for cls in OpenBookingError.__subclasses__():
        if cls.__name__ in system_error_names():
            expected.add((cls.__name__ if cls.in_specification else "OpenBookingError", str(cls.status), "system"))
    assert set(rows) == expected
    assert len(rows) == len(expected)
