"""The bookings of the demo: two weeks of past ones and four of coming ones, and something to decide."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from openbooking.booking.views import OrderQuery, SellerViews
from openbooking.openactive.terms import OrderItemStatus
from openbooking.sandbox.database import create_file, fill_database
from openbooking.sandbox.sellers import SELLERS, TRUST
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.settings import Settings
from openbooking.system import open_system
from openbooking.testing.stores.views.view_case import read_all, views_of

pytestmark = pytest.mark.anyio
ZONE = ZoneInfo(TIME_ZONE)


@pytest.fixture(scope="module")
async def views(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, SellerViews]]:
    """The views of each Seller of a new demo."""
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    create_file(path)
    settings = Settings(database=str(path))
    await fill_database(settings, datetime.now(ZONE).date())
    async with open_system(settings, serves=False) as system:
        yield {seller.key: views_of(system.store, seller.key) for seller in SELLERS}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Return the name of the event loop of all asynchronous tests."""
    return "asyncio"


async def test_several_brokers_have_booked_for_past_and_coming_days(views: dict[str, SellerViews]) -> None:
    now = datetime.now(UTC)
    for found in views.values():
        for since, until in ((now - timedelta(days=14), now), (now, now + timedelta(days=28))):
            query = OrderQuery(session_from=since, session_before=until)
            orders = await read_all(found.orders, query, limit=200)
            assert len({record.partner for record in orders}) >= 3
            assert len(orders) > 20


async def test_past_sessions_have_records_of_attendance(views: dict[str, SellerViews]) -> None:
    now = datetime.now(UTC)
    query = OrderQuery(session_from=now - timedelta(days=14), session_before=now)
    orders = await read_all(views[TRUST.key].orders, query, limit=200)
    statuses = {state.status for record in orders for state in record.states}
    assert {OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT, OrderItemStatus.CUSTOMER_CANCELLED} <= statuses


async def test_one_class_is_full_and_one_is_cancelled(views: dict[str, SellerViews]) -> None:
    now = datetime.now(UTC)
    coming = await read_all(views[TRUST.key].occurrences, now, now + timedelta(days=9), limit=500)
    assert any(each.capacity and each.booked >= each.capacity > 1 for each in coming)
    assert [each.path for each in coming if not each.opportunity.takes_place]


async def test_proposals_wait_for_the_seller(views: dict[str, SellerViews]) -> None:
    assert len(await read_all(views[TRUST.key].proposals)) == 3
