"""Bookings on the page of the front desk, as a browser sends them."""

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import StoreWithViews
from support.browsers.form_browser import Page, Visitor
from support.http_system import YOGA, World
from support.parties import CENTRE

PATH = YOGA[-1].path
BOOK = f"/console/desk/book/{PATH}"


def form(page: Page, **fields: str) -> dict[str, str]:
    """Return the fields of the form with these changes, as a browser sends them without the radio buttons."""
    sent = dict(page.form(page_path(page)).fields)
    sent.pop("payment", None)
    return {"step": "book", "offer": choice(), **sent, **fields}


def page_path(page: Page) -> str:
    return page.url.removeprefix("https://booking.example.com").partition("?")[0]


def choice(family: list[Opportunity] = YOGA, key: str = "adult") -> str:
    return f"{family[0].path} {key}"


async def book(visitor: Visitor, path: str = BOOK, **fields: str) -> Page:
    """Open the form, and send it with these fields."""
    return await visitor.post(path, form(await visitor.open(path), **fields))


async def orders(world: World) -> list[OrderRecord]:
    """Return the Orders of the front desk for yoga."""
    assert isinstance(world.store, StoreWithViews)
    found = await world.store.views.of(CENTRE.key).bookings(PATH)
    return [record for record in found.rows if record.is_of_desk]
