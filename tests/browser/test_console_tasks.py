"""Twelve tasks of a Seller's day in a real browser: by the keyboard alone, without script, on a telephone.

Run with `--log-cli-level INFO` to see the key presses of each task.
"""

import csv
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, ViewportSize, expect

from openbooking.booking.commands.orders.seller_decisions import RecordAttendance
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus
from openbooking.sandbox.bookings import STAFF
from openbooking.sandbox.database import PASSWORD
from support.browsers import keyboard as keyboard_module
from support.browsers.broker_of_demo import KEY, ORDERS, PROPOSALS, ZONE, BrokerOfDemo, Json
from support.browsers.browser import Site, served_demo
from support.browsers.keyboard import CHECKBOX, CHOICE, RADIO, Keyboard
from support.proposals import APPROVAL

SIZE = ViewportSize(width=360, height=740)
# No task needs more keys than these, apart from texts.
MOST_PRESSES = 50
BY_MOUSE = re.compile(
    r"\.(?:click|dblclick|tap|check|uncheck|set_checked|fill|clear|select_option|hover|drag_to|drag_and_drop|mouse"
    r"|dispatch_event|press_sequentially|focus)\b(?=\(|\.)"
)
DAY = timedelta(days=1)
MESSAGE = "The instructor is ill."
_log = logging.getLogger(__name__)


class Times(NamedTuple):
    """The starts of sessions.

    Attributes:
        tonight: A session of today that goes on now.
        tomorrow: The evening of tomorrow.
        last_month: The first day of last month, of which the demo has no bookings.
    """

    tonight: datetime
    tomorrow: datetime
    last_month: datetime

    @property
    def part(self) -> str:
        """The part of the day in which the session of today started."""
        return "Evening" if self.tonight.hour >= 17 else "Afternoon" if self.tonight.hour >= 12 else "Morning"


@pytest.fixture(scope="module")
def times() -> Times:
    """The starts of sessions, seen from now."""
    now = datetime.now(ZONE).replace(microsecond=0)
    midnight, evening = now.replace(hour=0, minute=0, second=0), now.replace(hour=18, minute=30, second=0)
    return Times(
        tonight=max(midnight, now - timedelta(minutes=30)),
        tomorrow=evening + DAY,
        last_month=(evening.replace(day=1) - DAY).replace(day=1),
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with the data of the demo."""
    with served_demo(tmp_path_factory.mktemp("tasks")) as site:
        yield site


@pytest.fixture(scope="module")
def broker(demo: Site) -> Iterator[BrokerOfDemo]:
    """A Broker that books for the people of the tasks."""
    with closing(BrokerOfDemo(demo)) as broker:
        yield broker


@pytest.fixture(scope="module")
def attendees(demo: Site, broker: BrokerOfDemo, times: Times) -> dict[str, str]:
    """The Orders of the attendees of tonight's circuits, by name; the last one has attended."""
    circuits = broker.publish("Circuits", times.tonight)
    names = ("Amy Archer", "Bob Baker", "Cat Cooper", "Dan Dyer")
    orders = {name: broker.book(name, circuits, at=times.tonight - DAY) for name in names}
    attended = RecordAttendance(order=OrderKey(KEY, orders["Dan Dyer"]), attended=True, actor=STAFF)
    demo.do(lambda system: system.store.execute(attended))
    return orders


@pytest.fixture(scope="module")
def session(browser: Browser, demo: Site) -> StorageState:
    """The cookies of a manager who has signed in with the keyboard."""
    with closing(new_context(browser, demo)) as context:
        keyboard = Keyboard(context.new_page())
        keyboard.page.goto("/sign-in?next=/console")
        keyboard.write("User name", "sam")
        keyboard.write("Password", PASSWORD)
        keyboard.enter()
        expect(keyboard.page.get_by_role("heading", level=1)).to_contain_text("Today")
        return context.storage_state()


@pytest.fixture
def keyboard(browser: Browser, demo: Site, session: StorageState, request: pytest.FixtureRequest) -> Iterator[Keyboard]:
    """The keyboard of a manager who sees the page of today."""
    with closing(new_context(browser, demo, session)) as context:
        keyboard = Keyboard(context.new_page())
        keyboard.page.goto("/console")
        yield keyboard
        _log.info("%s: %s key presses", request.node.name, keyboard.presses)
        assert keyboard.presses <= MOST_PRESSES


def new_context(browser: Browser, demo: Site, session: StorageState | None = None) -> BrowserContext:
    """Return a new window on a telephone, without script."""
    context = browser.new_context(
        base_url=demo.url, locale="en-GB", java_script_enabled=False, viewport=SIZE, storage_state=session
    )
    context.set_default_timeout(20_000)
    return context


def has_heading(keyboard: Keyboard, text: str) -> None:
    expect(keyboard.page.get_by_role("heading", level=1)).to_have_text(text)


def says(keyboard: Keyboard, text: str) -> None:
    expect(keyboard.page.get_by_role("status")).to_contain_text(text)


def statuses(order: Json) -> list[str]:
    return [item["orderItemStatus"] for item in order["orderedItem"]]


def open_tonight(keyboard: Keyboard, part: str) -> None:
    """Open the register of tonight's circuits from the page of today."""
    keyboard.follow(part)
    keyboard.follow("Circuits")
    has_heading(keyboard, "Circuits")


def open_booking(keyboard: Keyboard, name: str) -> None:
    """Find the booking of a person, and open it."""
    keyboard.open_from_menu("Bookings")
    keyboard.write("Name, e-mail, telephone or reference", name)
    keyboard.enter()
    keyboard.follow(name)
    has_heading(keyboard, f"Booking of {name}")


def test_no_task_uses_the_mouse() -> None:
    for module in (__file__, str(keyboard_module.__file__)):
        assert BY_MOUSE.findall(Path(module).read_text(encoding="utf-8")) == []
    for method in ("click", "fill", "check", "tap", "select_option", "mouse.move"):
        assert BY_MOUSE.search(f"page.{method}(1)")


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<a href=/>Here</a>", ""),
        ("<a href=/ style='outline: none'>Here</a>", "no outline"),
        ("<a href=/ style='position: absolute; left: -99px'>Here</a>", "outside the window"),
        ("<div style='position: fixed; inset: 0; background: red'></div><a href=/>Here</a>", "covered"),
        ("<a href=/>Here</a><p style='width: 400px'>wide", "the page scrolls sideways"),
    ],
    ids=["seen", "no outline", "outside", "covered", "wide"],
)
def test_a_focus_that_nobody_can_see_is_noticed(keyboard: Keyboard, html: str, fault: str) -> None:
    keyboard.page.goto("about:blank")
    keyboard.page.set_content(f"<style>:focus-visible {{ outline: 3px solid }}</style>{html}")
    keyboard.press("Tab")
    assert keyboard.faults()[:1] == ([fault] if fault else [])


def test_find_tonights_attendees(keyboard: Keyboard, attendees: dict[str, str], times: Times) -> None:
    open_tonight(keyboard, times.part)
    rows = keyboard.page.get_by_role("table").get_by_role("rowheader")
    assert [name for name in rows.all_inner_texts() if name in attendees] == list(attendees)


def test_tick_three_attendees(
    keyboard: Keyboard, broker: BrokerOfDemo, attendees: dict[str, str], times: Times
) -> None:
    feed = broker.follow(ORDERS)
    open_tonight(keyboard, times.part)
    for name in ("Amy Archer", "Bob Baker", "Cat Cooper"):
        keyboard.send(f"Attended {name}")
        says(keyboard, "Attendance recorded.")
        feed.wait_for(attendees[name], lambda order: statuses(order) == [OrderItemStatus.ATTENDED])


def test_undo_the_tick_of_one_attendee(
    keyboard: Keyboard, broker: BrokerOfDemo, attendees: dict[str, str], times: Times
) -> None:
    feed = broker.follow(ORDERS)
    assert statuses(broker.order(attendees["Dan Dyer"])) == [OrderItemStatus.ATTENDED]
    open_tonight(keyboard, times.part)
    keyboard.send("Undo Dan Dyer")
    feed.wait_for(attendees["Dan Dyer"], lambda order: statuses(order) == [OrderItemStatus.CONFIRMED])


def test_accept_a_proposal(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    order = broker.book("Gina Gray", broker.publish("Party", times.tomorrow, offered={"flow": APPROVAL}), propose=True)
    feed = broker.follow(PROPOSALS)
    keyboard.open_from_menu("Proposals")
    keyboard.follow("Gina Gray")
    keyboard.send("Accept")
    says(keyboard, "Accepted.")
    feed.wait_for(order, lambda data: data["orderProposalStatus"] == OrderProposalStatus.ACCEPTED)


def test_reject_a_proposal_with_a_note(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    order = broker.book("Hal Holt", broker.publish("Disco", times.tomorrow, offered={"flow": APPROVAL}), propose=True)
    feed = broker.follow(PROPOSALS)
    keyboard.open_from_menu("Proposals")
    keyboard.follow("Hal Holt")
    keyboard.write("Note to the customer (optional)", "The hall is closed.")
    keyboard.send("Reject")
    says(keyboard, "Rejected.")
    data = feed.wait_for(order, lambda data: data["orderProposalStatus"] == OrderProposalStatus.SELLER_REJECTED)
    assert data["orderSellerNote"] == "The hall is closed."


def test_cancel_a_class_with_a_message(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    boxing = broker.publish("Boxing", times.tomorrow)
    orders = [broker.book(name, boxing) for name in ("Ina Irwin", "Jim James")]
    feed = broker.follow(ORDERS)
    keyboard.follow(f"{times.tomorrow:%a} {times.tomorrow.day} {times.tomorrow:%b %Y}")
    keyboard.follow("Evening")
    keyboard.follow("Boxing")
    keyboard.follow("Cancel this session")
    expect(keyboard.page.get_by_role("main")).to_contain_text("This cancels 2 bookings of 2 customers")
    keyboard.write("Message to the customers (optional)", MESSAGE)
    keyboard.send("Cancel this session")
    for uuid in orders:
        data = feed.wait_for(uuid, lambda order: statuses(order) == [OrderItemStatus.SELLER_CANCELLED])
        assert data["orderedItem"][0]["cancellationMessage"] == MESSAGE
    keyboard.follow("Look again")
    expect(keyboard.page.get_by_role("main")).to_contain_text("All partners have read it.")


def test_cancel_one_item_of_a_booking(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    order = broker.book("Eve Ellis", broker.publish("Dance", times.tomorrow), broker.publish("Ballet", times.tomorrow))
    feed = broker.follow(ORDERS)
    open_booking(keyboard, "Eve Ellis")
    keyboard.follow("Cancel booking")
    when = f"{times.tomorrow:%a} {times.tomorrow.day} {times.tomorrow:%b %Y %H:%M}"
    keyboard.go_to(CHECKBOX, f"Ballet, {when}")
    keyboard.press("Space")
    keyboard.send("Cancel the chosen items")
    says(keyboard, "Cancelled.")
    wanted = [OrderItemStatus.SELLER_CANCELLED, OrderItemStatus.CONFIRMED]
    feed.wait_for(order, lambda data: statuses(data) == wanted)


def test_replace_one_item_of_a_booking(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    first, second = (
        broker.publish("Tennis", times.tomorrow),
        broker.publish("Tennis", times.tomorrow + timedelta(hours=2)),
    )
    order = broker.book("Finn Fox", first)
    feed = broker.follow(ORDERS)
    open_booking(keyboard, "Finn Fox")
    keyboard.follow("Replace Tennis, item 1")
    keyboard.go_to(CHOICE, "Session")
    keyboard.press("ArrowDown")
    keyboard.send("Replace")
    says(keyboard, "Replaced.")
    path = second[-1].path
    feed.wait_for(order, lambda data: str(data["orderedItem"][0]["orderedItem"]).endswith(path))


def test_book_a_walk_in(keyboard: Keyboard, attendees: dict[str, str], times: Times) -> None:
    assert len(attendees) == 4
    keyboard.open_from_menu("Front desk")
    keyboard.follow(times.part)
    keyboard.follow("Circuits")
    keyboard.write("First name", "Wanda")
    keyboard.write("Last name", "Walker")
    keyboard.go_to(RADIO, "Cash")
    keyboard.press("ArrowDown")
    keyboard.press("Space")
    keyboard.send("Book for £12.00")
    has_heading(keyboard, "Receipt")
    says(keyboard, "Booked.")
    main = keyboard.page.get_by_role("main")
    expect(main).to_contain_text("Wanda Walker")
    expect(main).to_contain_text("Circuits")
    expect(main).to_contain_text("£12.00, card")


def test_export_the_sales_of_last_month(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    broker.book("Jo Jones", broker.publish("Judo", times.last_month), at=times.last_month - timedelta(hours=6))
    keyboard.open_from_menu("Money")
    keyboard.follow("Last month")
    keyboard.go_to("link", "Save this table as CSV")
    with keyboard.page.expect_download() as download:
        keyboard.press("Enter")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert download.value.suggested_filename.startswith(
        f"sales-{times.last_month:%Y-%m}-01-to-{times.last_month:%Y-%m}-"
    )
    assert [f"{times.last_month:%Y-%m-%d}", "1", "12.00"] in [[row[0], row[2], row[3]] for row in rows], rows


def test_find_and_erase_a_person(keyboard: Keyboard, broker: BrokerOfDemo, times: Times) -> None:
    yesterday = times.tomorrow - timedelta(days=2)
    order = broker.book("Iris Innes", broker.publish("Karate", yesterday), at=yesterday - DAY)
    keyboard.open_from_menu("Personal data")
    keyboard.write("E-mail address or telephone number", "iris.innes@example.com")
    keyboard.enter()
    keyboard.write("Type 1, the number of bookings, to confirm", "1")
    keyboard.send("Erase the data")
    says(keyboard, "Personal data erased.")
    assert "customer" not in broker.order(order)
    keyboard.write("E-mail address or telephone number", "iris.innes@example.com")
    keyboard.enter()
    expect(keyboard.page.get_by_role("main")).to_contain_text("No booking has this address or number.")


def test_add_a_staff_member(keyboard: Keyboard) -> None:
    keyboard.open_from_menu("Staff")
    keyboard.follow("Add a person")
    keyboard.write("Name for sign-in", "kim@riverbank.example")
    keyboard.go_to(
        RADIO, "Staff: today, registers, proposals, bookings, front desk and publication, without prices of bookings"
    )
    keyboard.press("Space")
    keyboard.send("Add the person")
    has_heading(keyboard, "kim@riverbank.example was added")
    link = keyboard.page.locator("#link").inner_text()
    assert httpx2.get(link).status_code == 200
    keyboard.follow("Staff")
    expect(keyboard.page.get_by_role("row", name="kim@riverbank.example")).to_contain_text("staff")
