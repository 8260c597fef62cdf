"""The addresses of pages to which other pages link: those of one Opportunity, and those of the timetable."""

from enum import StrEnum
from urllib.parse import quote

from openbooking.back_office.console_paths import CONSOLE_PATH


class OpportunityPage(StrEnum):
    """The pages about one Opportunity. The values are their paths below the console, without that of the Opportunity.

    REGISTER: the register. CANCEL: the form that cancels it. NOTIFY: the form of a notice to all who have booked it.
    CANCELLED: who was told of its cancellation. PUBLICATION: its publication. DESK: the form with which the front desk
    books it. TERMS: the form of the price and capacity of an occurrence of the timetable.
    """

    REGISTER = "register"
    CANCEL = "cancel"
    NOTIFY = "notify"
    CANCELLED = "cancelled"
    PUBLICATION = "publication"
    DESK = "desk/book"
    TERMS = "timetable/terms"

    @property
    def route(self) -> str:
        """The path of its route below the console."""
        return f"/{self}/{{opportunity:path}}"

    def path(self, opportunity: str) -> str:
        """Return the path of the page of an Opportunity below the address of the site."""
        return f"{CONSOLE_PATH}/{self}/{quote(opportunity)}"


TIMETABLE_PATH = f"{CONSOLE_PATH}/timetable"
SHEET_PATH = f"{TIMETABLE_PATH}/sheet"
CLOSE_PATH = f"{TIMETABLE_PATH}/close"


def add_path(kind: str) -> str:
    """Return the path of the form of a new entry."""
    return f"{TIMETABLE_PATH}/add/{kind}"


def entry_path(key: str) -> str:
    """Return the path of the form of an entry."""
    return f"{TIMETABLE_PATH}/entries/{quote(key)}"


def remove_path(key: str) -> str:
    """Return the path of the page that removes an entry."""
    return f"{entry_path(key)}/remove"
