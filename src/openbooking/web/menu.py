"""The menu of signed-in users."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from openbooking.identity.records import User


def show_to_everybody(user: User) -> bool:
    """Return True: every signed-in user sees the menu entry."""
    del user
    return True


class MenuEntry(NamedTuple):
    """The link to a page in the menu of signed-in users.

    Attributes:
        title: The text of the link.
        is_shown_to: Returns whether a user sees the link.
        is_account: Whether the page is about the account of the user.
    """

    title: str
    is_shown_to: Callable[[User], bool] = show_to_everybody
    is_account: bool = False


class MenuLink(NamedTuple):
    """A link in the menu of one page, as the template shows it.

    Attributes:
        title: The text of the link.
        path: The path of the linked page below the address of the site.
        is_account: Whether the page is about the account of the user.
        current: The value of `aria-current`: `page` if the link leads to the page that shows the menu, `true` if it
            leads to the page above that; empty otherwise.
    """

    title: str
    path: str
    is_account: bool
    current: str


def menu_links(entries: Mapping[str, MenuEntry], user: User, current_path: str) -> list[MenuLink]:
    """Return the links of the menu that a page shows to a user.

    Args:
        entries: The entries of the menu, by the paths of their pages.
        user: The user.
        current_path: The path of the page that shows the menu.
    """
    shown = {path: entry for path, entry in entries.items() if entry.is_shown_to(user)}
    section = max((path for path in shown if f"{current_path}/".startswith(f"{path}/")), key=len, default=None)
    mark = "page" if section == current_path else "true"
    return [
        MenuLink(entry.title, path, entry.is_account, mark if path == section else "") for path, entry in shown.items()
    ]
