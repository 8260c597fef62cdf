"""Take the screenshots of the documentation, with a real browser on real servers: `make screenshots`."""

import base64
import tempfile
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, FloatRect, Page

from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.partners.grants import GrantChange, give, suspend
from openbooking.identity.records import BY_REGISTRATION_TOKEN
from openbooking.identity.scopes import Scope
from openbooking.sandbox import database
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.system import System
from support.browsers.browser import PASSWORD, URI, Site, chromium, served, served_demo
from support.browsers.tutorial import FIRST_CLUB, Reader
from support.pages.terminal import terminal
from support.parties import MANAGER

IMAGES = Path(__file__).parent.parent / "docs" / "how-to" / "images"
TUTORIAL_IMAGES = FIRST_CLUB.parent / "images"
_BOOKING = give(frozenset({Scope.OPENBOOKING}))
_WIDTH, _PHONE, _TALLEST = 900, 360, 900
_TUESDAY = 1
# Browsers write the date in a field in the language that they are installed in, which differs between machines.
_WITHOUT_DATES = "[type=date]::-webkit-datetime-edit { visibility: hidden }"
_TO_WEBP = """async png => {
  const picture = new Image(), canvas = document.createElement("canvas");
  picture.src = png;
  await picture.decode();
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.85);
}"""


def take_all(browser: Browser, databases: Path, folder: Path) -> None:
    """Take all screenshots.

    Args:
        browser: The browser.
        databases: An empty folder for the databases of the servers.
        folder: The folder for the pictures.
    """
    for served_site, take in ((served, _take_partners), (served_demo, _take_console)):
        with served_site(databases) as site:
            context = _context(browser, site.url)
            take(context.new_page(), site, Camera(context.new_page(), folder))
            context.close()


def follow_tutorial(browser: Browser, database: Path, folder: Path) -> None:
    """Follow the tutorial, and take its screenshots.

    Args:
        browser: The browser.
        database: An empty folder for the database of the server.
        folder: The folder for the pictures.
    """
    with terminal(database) as opened:
        context = _context(browser)
        context.set_default_timeout(20_000)
        Reader(context.new_page(), opened, Camera(context.new_page(), folder).take).follow(
            FIRST_CLUB.read_text(encoding="utf-8")
        )
        context.close()


def _context(browser: Browser, url: str | None = None) -> BrowserContext:
    """Return a new window, in which scripts of this module may run."""
    return browser.new_context(
        base_url=url,
        viewport={"width": _WIDTH, "height": _TALLEST},
        color_scheme="light",
        locale="en-GB",
        bypass_csp=True,
    )


class Camera(NamedTuple):
    """Takes screenshots.

    Attributes:
        darkroom: A page of a browser, in which the pictures become WebP files.
        folder: The folder for the pictures.
    """

    darkroom: Page
    folder: Path

    def take(self, page: Page, name: str, width: int = _WIDTH) -> None:
        """Take a screenshot of the height of the page, up to a limit."""
        bottom = float(page.evaluate("document.querySelector('main').getBoundingClientRect().bottom"))
        clip = FloatRect(x=0, y=0, width=width, height=min(bottom, _TALLEST))
        picture = base64.b64encode(page.screenshot(clip=clip, style=_WITHOUT_DATES)).decode()
        url = self.darkroom.evaluate(_TO_WEBP, f"data:image/png;base64,{picture}")
        (self.folder / f"{name}.webp").write_bytes(base64.b64decode(url.partition(",")[2]))


def _take_partners(page: Page, site: Site, camera: Camera) -> None:
    """Take the pages about Booking Partners, in the order in which a manager sees them."""
    key, _ = site.new_client("MyFitnessApp", registered_by=f"{BY_REGISTRATION_TOKEN} MyFitnessApp Ltd")
    finder, _ = site.new_client("Active Finder")
    club, _ = site.new_client("Club Desk")
    for key_, change in ((finder, _BOOKING), (club, _BOOKING), (club, suspend)):
        site.do(partial(_change, key_, change))
    asked = f"response_type=code&client_id={key}&redirect_uri={URI}&scope=openid+offline_access+openactive-openbooking"
    page.goto(f"/oauth/authorize?{asked}&code_challenge={challenge('v' * 48)}&code_challenge_method=S256")
    camera.take(page, "sign-in")
    _sign_in(page, "ann", PASSWORD)
    camera.take(page, "consent")
    page.goto("/partners")
    camera.take(page, "partners")
    page.goto(f"/partners/{finder}/revoke")
    camera.take(page, "stop")
    token = site.do(lambda system: system.identity.registration.new_token("Acme", None, None))
    page.context.clear_cookies()
    page.goto(f"/registration?token={token}")
    camera.take(page, "registration")


def _take_console(page: Page, site: Site, camera: Camera) -> None:
    """Take the pages of a day in a leisure centre."""
    del site
    page.goto("/sign-in?next=/console")
    _sign_in(page, "sam", database.PASSWORD)
    lesson = _next_lesson()
    session = f"scheduled-sessions/adult-lessons-{lesson:%Y%m%d}"
    paths = {
        "today": f"/console?day={lesson:%Y-%m-%d}&part=evening",
        "register": f"/console/register/{session}",
        "bookings": "/console/orders",
        "cancel-session": f"/console/cancel/{session}",
        "money": "/console/money",
    }
    for name, path in paths.items():
        page.goto(path)
        camera.take(page, name)
    page.goto("/console/proposals")
    page.goto(str(page.locator("tbody a").first.get_attribute("href")))
    camera.take(page, "proposal")
    page.goto(f"/console/desk?day={lesson:%Y-%m-%d}&part=evening")
    page.goto(str(page.locator("tbody a").first.get_attribute("href")))
    camera.take(page, "front-desk")
    page.set_viewport_size({"width": _PHONE, "height": _TALLEST})
    page.goto(f"/console/register/{session}")
    camera.take(page, "register-on-a-phone", _PHONE)


def _next_lesson() -> datetime:
    """Return the day of the swimming lesson that is full in the demo, the first one after tomorrow at this time."""
    now = datetime.now(ZoneInfo(TIME_ZONE))
    days = (now + timedelta(days=number) for number in range(9))
    return next(day for day in days if day.weekday() == _TUESDAY and day.replace(hour=19) > now + timedelta(days=1))


def _sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


async def _change(key: str, change: GrantChange, system: System) -> None:
    await system.identity.grants.change(key, "centre", change, MANAGER)


def main() -> None:
    """Replace the pictures of the documentation."""
    with chromium() as browser:
        for images, take in ((IMAGES, take_all), (TUTORIAL_IMAGES, follow_tutorial)):
            with tempfile.TemporaryDirectory() as databases, tempfile.TemporaryDirectory() as made:
                take(browser, Path(databases), Path(made))
                images.mkdir(parents=True, exist_ok=True)
                for former in images.iterdir():
                    former.unlink()
                for picture in Path(made).iterdir():
                    (images / picture.name).write_bytes(picture.read_bytes())


if __name__ == "__main__":
    main()
