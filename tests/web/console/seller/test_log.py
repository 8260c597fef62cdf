"""The activity log of the Seller."""

import pytest

from openbooking.booking.commands.sale_state import SetSaleState
from openbooking.booking.commands.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.web.console.seller import log
from support.builders import UUID, new_uuid
from support.console import SignIn
from support.http_system import PILATES, SITE, YOGA, World
from support.parties import MANAGER, STUDIO

pytestmark = pytest.mark.anyio

KEY = OrderKey("alice", UUID)
LOG = "/console/log"


@pytest.fixture(autouse=True)
async def decided(world: World) -> str:
    """The centre has sent a notice, cancelled an item and unpublished yoga; the studio has cancelled an Order."""
    other = new_uuid()
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    body = world.order(world.item(PILATES), seller=STUDIO.key, total=14.4)
    assert (await world.call("PUT", f"orders/{other}", body)).status_code == 201
    await world.store.execute(Notify(order=KEY, notice="Bring a mat.", actor=MANAGER))
    world.pass_time(minutes=1)
    await world.store.execute(SellerCancel(order=KEY, numbers=frozenset({2}), actor=MANAGER))
    await world.store.execute(SellerCancel(order=OrderKey("alice", other), actor=MANAGER))
    world.pass_time(minutes=1)
    await world.store.execute(SetSaleState(opportunity=YOGA[-1].path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    return other


async def test_every_decision_is_shown_newest_first(sign_in: SignIn, decided: str) -> None:
    page = await (await sign_in("ann")).open(LOG)
    rows = page.text.partition("All decisions")[2]
    order = (
        "Taken off sale Yoga ann",
        f"Cancelled (item 2) booking {UUID} ann",
        f"Notice sent (items 1, 2) booking {UUID}",
    )
    places = [rows.index(text) for text in order]
    assert places == sorted(places)
    assert "Mon 1 Mar 2027 12:01" in rows
    assert f"/console/orders/alice/{UUID}" in page.response.text
    assert decided not in page.text
    assert "Bring a mat" not in page.text


async def test_a_filter_shows_one_kind_of_decision(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"{LOG}?action=seller-cancelled")
    rows = page.text.rpartition("About")[2]
    assert "Cancelled (item 2)" in rows
    assert "Notice sent" not in rows
    assert "Nothing of this kind has happened." in (await ann.open(f"{LOG}?action=order-deleted")).text
    page = await ann.open(f"{LOG}?action=nonsense")
    assert (page.status, page.summary) == (422, ["action"])


async def test_a_long_log_comes_in_pages(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_ROWS", 1), ("_READ_ROWS", 1), ("_READ_PAGES", 2)):
        monkeypatch.setattr(log, name, value)
    ann = await sign_in("ann")
    for path, texts in (
        (LOG, ["Taken off sale Yoga", "Cancelled (item 2)", "Notice sent (items"]),
        (f"{LOG}?action=customer-notified", ["", "Notice sent (items"]),
    ):
        page = await ann.open(path)
        for text in texts[:-1]:
            assert text in page.text
            following = page.response.text.rpartition(f'href="{LOG}?')[2].partition('"')[0].replace("&amp;", "&")
            page = await ann.open(f"{LOG}?{following}")
        assert texts[-1] in page.text
        assert "Earlier decisions" not in page.text
    assert (await ann.open(f"{LOG}?after=nonsense")).status == 404


async def test_staff_do_not_see_the_log(sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(LOG)
    assert (page.status, UUID in page.text, page.url) == (403, False, f"{SITE}{LOG}")
