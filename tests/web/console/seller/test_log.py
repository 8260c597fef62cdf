"""The activity log of the Seller."""

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import StoreWithViews
from openbooking.identity.records import User
from openbooking.web.console.seller import log
from support.builders import UUID, new_uuid
from support.console import SignIn
from support.console_timetable import Club
from support.http_system import PILATES, SITE, YOGA, World
from support.parties import CENTRE, MANAGER, STUDIO
from support.timetables import SPIN, VENUE

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


async def test_a_change_of_the_timetable_names_the_entry(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    path = f"{LOG}?action=timetable-changed"
    page = await (await sign_in("ann")).open(path)
    assert "Timetable changed Spin ann" in page.text
    assert "Timetable changed Riverside Centre ann" in page.text
    assert 'href="/console/timetable/entries/spin"' in page.response.text
    await club.remove("spin")
    page = await (await sign_in("ann")).open(path)
    assert 'href="/console/timetable/entries/spin"' not in page.response.text
    # The upkeep may have removed the entry already, whose name is then gone.
    await club.publish("spin")
    page = await (await sign_in("ann")).open(path)
    assert page.text.count("Timetable changed spin ann") == 2


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


async def test_staff_partners_and_details_are_in_the_log(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    cat, add = "/console/staff/people/cat", "/console/staff/add"
    for page, form, fields in (
        (add, add, {"name": "eve", "role": "staff"}),
        (cat, cat, {"role": "manager"}),
        (f"{cat}/remove", f"{cat}/remove", {}),
        ("/partners", "/partners/alice/suspend", {}),
    ):
        world.pass_time(seconds=1)
        await ann.send(await ann.open(page), form, **fields)
    rows = (await ann.open(LOG)).text.partition("All decisions")[2]
    texts = ("Partner paused Alice ann", "Removed from staff cat ann", "Made a manager cat ann")
    places = [rows.index(text) for text in (*texts, "Member of staff added eve ann", "Taken off sale Yoga ann")]
    assert places == sorted(places)
    assert "eve" in (await ann.open(f"{LOG}?action=staff-added")).text
    ben = await (await sign_in("ben")).open(LOG)
    assert "eve" not in ben.text


async def test_a_change_of_identity_that_is_not_saved_has_no_entry(world: World) -> None:
    assert isinstance(world.store, StoreWithViews)
    views = world.store.views.of(CENTRE.key)
    (ann,) = await world.identity.find(User, name="ann")
    entry = Activity(at=world.clock(), actor=MANAGER, action=Action.USER_REMOVED, seller=CENTRE.key, user="ann")
    assert not await world.identity.save(replace(ann, revision=7), log=[entry])
    assert entry not in (await views.activity()).rows
    assert await world.identity.save(ann, log=[entry])
    assert entry in (await views.activity()).rows
