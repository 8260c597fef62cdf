"""The sample app beside the other Booking System, and Customers whose browsers have no scripts."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

import httpx2

from openbooking.sandbox.broker_app.app import Config
from openbooking.sandbox.serving_beside import serve_beside
from support.browsers.form_browser import Page
from support.other_system.system import OtherSystem, other_system

PERSON = {"given_name": "Sam", "family_name": "Lee", "email": "sam@example.com"}
SECRET = b"a secret of the tests"
_HARVESTED_WITHIN_SECONDS = 30


class Customer:
    """A person with a browser of her own."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    @property
    def cookies(self) -> httpx2.Cookies:
        """The cookies of the browser."""
        return self._client.cookies

    def open(self, path: str) -> Page:
        """Open a page."""
        return Page(self._client.get(path))

    def send(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the form that is sent to a path which ends like this, and send it."""
        form = next(form for form in page.forms if form.action.endswith(action))
        return self.post(urljoin(page.url, form.action), **{**form.fields, **fields})

    def post(self, url: str, **fields: str) -> Page:
        """Send these fields, whether or not a page has a form for them."""
        return Page(self._client.post(url, data=fields))

    def choose(self, name: str, spaces: int = 1) -> Page:
        """Begin a basket with spaces at the Opportunity of this name."""
        page = self.open(f"/?text={name}")
        return self.send(page, "/baskets", spaces=str(spaces))

    def details(self, basket: Page) -> Page:
        """Give the name and the e-mail address."""
        return self.send(basket, "/details", **PERSON)

    def book(self, basket: Page, card: str = "works") -> Page:
        """Open the payment page of a basket, and pay."""
        return self.send(self.open(f"{basket.url}/pay"), "/book", card=card)

    def wait_for(self, path: str, words: str, seconds: float = 20) -> Page:
        """Load a page until it has these words."""
        until = time.monotonic() + seconds
        while words not in (page := self.open(path)).text:
            assert time.monotonic() < until, page.text
            time.sleep(0.1)
        return page


class Sample(NamedTuple):
    """The running app, and the Booking System behind it."""

    url: str
    other: OtherSystem
    browsers: ExitStack

    def customer(self) -> Customer:
        """Return a new Customer."""
        client = httpx2.Client(base_url=self.url, follow_redirects=True, timeout=60)
        return Customer(self.browsers.enter_context(client))


@contextmanager
def sample_app(database: str | Path) -> Iterator[Sample]:
    """Serve the app with this database beside the other Booking System, once it has harvested."""
    with other_system() as other, socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config(other.url, other.api_key, database, SECRET)
        with serve_beside(config, listener), ExitStack() as browsers:
            sample = Sample(f"http://127.0.0.1:{listener.getsockname()[1]}", other, browsers)
            sample.customer().wait_for("/", "Court 1", _HARVESTED_WITHIN_SECONDS)
            yield sample


def order_of(page: Page) -> str:
    """Return the Order UUID in the address of a page."""
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", page.url)
    assert found, page.url
    return found[0]
