"""The addresses of the pages of the timetable, below the address of the site."""

from urllib.parse import quote

from openbooking.web.console.console import CONSOLE_PATH

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
