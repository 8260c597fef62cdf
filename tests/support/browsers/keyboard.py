"""A person who uses a browser with the keyboard alone, and sees where the focus is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from playwright.sync_api import Page

SUMMARY, LINK, BUTTON, TEXT, CHECKBOX, RADIO, CHOICE = (
    "DisclosureTriangle",
    "link",
    "button",
    "textbox",
    "checkbox",
    "radio",
    "combobox",
)
# More key presses of Tab than anybody would use to reach something.
_MOST_TABS = 60
# Returns the faults of the element with the focus. Scripts of a test run also where pages may run none.
_FAULTS = """() => {
  const it = document.activeElement, box = it.getClientRects()[0], style = getComputedStyle(it);
  if (it === document.body || !box) return ["no focus"];
  const x = box.left + Math.min(box.width, 40) / 2, y = box.top + Math.min(box.height, 40) / 2;
  const top = document.elementFromPoint(x, y);
  const faults = {
    "no outline": style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2,
    "outside the window": box.top < 0 || box.left < 0 || box.right > innerWidth || y > innerHeight,
    "covered": !top || !(it.contains(top) || top.contains(it) && top.matches("a, button, label, summary, td, th, li")),
    "the page scrolls sideways": document.documentElement.scrollWidth > innerWidth,
  };
  return Object.keys(faults).filter(name => faults[name]);
}"""


class Stop(NamedTuple):
    """What has the focus, by its role and name in the accessibility tree of the browser."""

    role: str
    name: str


class Keyboard:
    """The keyboard of one window. `presses` counts the keys that were pressed, apart from typed texts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0
        self._tree = page.context.new_cdp_session(page)

    def press(self, key: str) -> None:
        """Press a key that changes nothing but this page."""
        self.presses += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.page.keyboard.type(text)

    def enter(self) -> None:
        """Press Enter, and wait for the next page."""
        with self.page.expect_navigation():
            self.press("Enter")

    def stop(self) -> Stop:
        """Return what has the focus."""
        found = self._tree.send("Runtime.evaluate", {"expression": "document.activeElement"})
        asked = {"objectId": found["result"]["objectId"], "fetchRelatives": False}
        node: dict[str, Any] = self._tree.send("Accessibility.getPartialAXTree", asked)["nodes"][0]
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        return Stop({"DisclosureTriangleGrouped": SUMMARY, "ComboBoxMenuButton": CHOICE}.get(role, role), name)

    def faults(self) -> list[str]:
        """Return what is wrong with the focus, as a person would see it."""
        found: list[str] = self.page.evaluate(_FAULTS)
        return found

    def go_to(self, role: str, name: str) -> None:
        """Press Tab until the focus has this role and name. Each stop on the way must be visible."""
        self._tab_until(lambda stop: stop == (role, name), f"{role} {name}")

    def follow(self, name: str) -> None:
        """Go to a link, and open its page."""
        self.go_to(LINK, name)
        self.enter()

    def send(self, name: str) -> None:
        """Go to a button, and press it to send its form."""
        self.go_to(BUTTON, name)
        self.enter()

    def write(self, name: str, text: str) -> None:
        """Go to a text field, and type into it."""
        self.go_to(TEXT, name)
        self.type(text)

    def open_from_menu(self, name: str) -> None:
        """Unfold the menu, and open the page of one of its links."""
        self._tab_until(lambda stop: stop.role == SUMMARY and stop.name.startswith("Menu"), "the menu")
        self.press("Enter")
        self.follow(name)

    def _tab_until(self, is_there: Callable[[Stop], bool], wanted: str) -> None:
        passed = []
        for _ in range(_MOST_TABS):
            self.press("Tab")
            stop = self.stop()
            faults = self.faults()
            assert faults == [], (faults, stop, self.page.url)
            if is_there(stop):
                return
            passed.append(f"{stop.role} {stop.name}")
        raise AssertionError(f"Tab does not reach {wanted} on {self.page.url}: {passed}")
