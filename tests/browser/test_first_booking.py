"""The tutorial about a first booking: its commands, and its steps on the pages of the Seller."""

from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser

from support.browsers.tutorial import FIRST_BOOKING, Reader
from support.pages.terminal import terminal


def test_the_tutorial_leads_from_the_demo_to_a_cancellation_by_the_seller(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with terminal(folder) as opened, closing(browser.new_context(java_script_enabled=False)) as context:
        context.set_default_timeout(20_000)
        Reader(context.new_page(), opened, lambda *_: None).follow(FIRST_BOOKING.read_text(encoding="utf-8"))
