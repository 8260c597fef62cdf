"""The page about errors has each class, and treats it as the client of a Broker does."""

import re
from collections.abc import Iterator

import pytest

from openbooking.openactive.errors import OpenBookingError, Retry
from openbooking.openactive.item_errors import ItemErrorType
from support.pages.blocks import ROOT

PAGE = (ROOT / "docs" / "how-to" / "handle-errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))
# The heading of the section in which a class is, by what the client does.
HEADINGS = {
    Retry.SAME_UUID: "Send the same request again",
    Retry.NEW_UUID: "Begin again with a new UUID",
    Retry.NEVER: "Do not repeat",
}
QUOTE = "Ask for another quote"


def classes_of(base: type[OpenBookingError]) -> Iterator[type[OpenBookingError]]:
    for class_ in base.__subclasses__():
        yield class_
        yield from classes_of(class_)


CLASSES = [class_ for class_ in classes_of(OpenBookingError) if class_.in_specification]


def is_in(section: str, name: str) -> bool:
    return any(f"`{name}`" in row for row in SECTIONS[section].splitlines() if row.startswith("|"))


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_the_page_treats_each_error_of_a_request_as_the_client_does(class_: type[OpenBookingError]) -> None:
    name = class_.__name__
    quotes_again = class_.quote_again or name == "TotalPaymentDueMismatchError"
    expected = QUOTE if quotes_again else HEADINGS[class_().retry]
    assert [section for section in SECTIONS if is_in(section, name)] == [expected]


@pytest.mark.parametrize("name", ItemErrorType)
def test_the_page_says_what_to_do_about_each_error_of_an_item(name: str) -> None:
    assert is_in(QUOTE, name)
