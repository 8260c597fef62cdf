"""Take the screenshots of the documentation, with a real browser on a real server: `python tests/screenshots.py`."""

import tempfile
from functools import partial
from pathlib import Path

from playwright.sync_api import Page

from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.partners.grants import GrantChange, give, suspend
from openbooking.identity.records import BY_REGISTRATION_TOKEN
from openbooking.identity.scopes import Scope
from openbooking.system import System
from support.browsers.browser import PASSWORD, URI, Site, chromium, served
from support.parties import MANAGER

IMAGES = Path(__file__).parent.parent / "docs" / "how-to" / "images"
_BOOKING = give(frozenset({Scope.OPENBOOKING}))
_WIDTH = 900


def take(page: Page, site: Site, folder: Path) -> None:
    """Take the pages in the order in which a manager sees them."""
    key, _ = site.new_client("MyFitnessApp", registered_by=f"{BY_REGISTRATION_TOKEN} MyFitnessApp Ltd")
    finder, _ = site.new_client("Active Finder")
    club, _ = site.new_client("Club Desk")
    for key_, change in ((finder, _BOOKING), (club, _BOOKING), (club, suspend)):
        site.do(partial(_change, key_, change))
    asked = f"response_type=code&client_id={key}&redirect_uri={URI}&scope=openid+offline_access+openactive-openbooking"
    page.goto(f"/oauth/authorize?{asked}&code_challenge={challenge('v' * 48)}&code_challenge_method=S256")
    _take(page, folder / "sign-in.png")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    _take(page, folder / "consent.png")
    page.goto("/partners")
    _take(page, folder / "partners.png")
    page.goto(f"/partners/{finder}/revoke")
    _take(page, folder / "stop.png")
    token = site.do(lambda system: system.identity.registration.new_token("Acme", None, None))
    page.context.clear_cookies()
    page.goto(f"/registration?token={token}")
    _take(page, folder / "registration.png")


async def _change(key: str, change: GrantChange, system: System) -> None:
    await system.identity.grants.change(key, "centre", change, MANAGER)


def _take(page: Page, path: Path) -> None:
    """Take a screenshot of the whole height of the page."""
    height = page.evaluate("document.querySelector('main').getBoundingClientRect().bottom")
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": _WIDTH, "height": height})


def main() -> None:
    """Take all screenshots."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, served(Path(folder)) as site:
        context = browser.new_context(
            base_url=site.url, viewport={"width": _WIDTH, "height": 900}, color_scheme="light", locale="en-GB"
        )
        take(context.new_page(), site, IMAGES)
        context.close()


if __name__ == "__main__":
    main()
