"""The Booking System of the how-to pages: the Seller `riverside`, with a timetable and an Order of `acme`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.model.order import Caller, desk_caller
from openbooking.openactive.terms import BrokerRole
from support.builders import book, session
from support.pages.dates import shift_dates
from support.pages.terminal import terminal
from support.parties import MANAGER
from support.seller_office import execute, order_of
from support.timetable_office import publish

FILE = "openbooking.sqlite3"
SITE = "http://127.0.0.1:8000"
SETTINGS = {"OPENBOOKING_SITE_URL": SITE, "OPENBOOKING_DATABASE": FILE}
UUID = "e11429ea-467f-4270-ab62-e47368996fe8"
DESK_UUID = "5f0c3b1e-2d4a-4c6b-8e9f-0a1b2c3d4e5f"
_FILES = ("centre.toml", "calendar.ics")
_BEGIN = """
openbooking seller add riverside --name "Riverside Centre" --legal-name "Riverside Leisure Ltd" --tax-mode gross \\
    --email hello@riverside.example.com --url https://riverside.example.com \\
    --street "1 River Road" --locality Oxford --region Oxfordshire --postcode "OX1 1AA"
openbooking timetable apply centre.toml --yes
"""


def make_centre(folder: Path) -> Path:
    """Make the files of the Booking System in an empty folder, and return the folder."""
    for name in _FILES:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        (folder / name).write_text(shift_dates(text), encoding="utf-8")
    with terminal(folder, SETTINGS) as opened:
        opened.run(_BEGIN)
    publish(folder / FILE)
    _book(folder / FILE)
    return folder


def _book(database: Path) -> None:
    """Publish a class, and book it twice for Geoff through the partner `acme`, and once at the front desk, unpaid."""
    start = datetime.fromisoformat(shift_dates("2026-12-05T18:00")).replace(tzinfo=UTC)
    end = start + timedelta(hours=1)
    made = session(shift_dates("yoga-20261205"), start=start, end=end)
    yoga = [replace(each, seller="riverside") for each in made]
    order = replace(order_of(yoga, 2), seller="riverside")
    at_desk = replace(
        order_of(yoga, 1), seller="riverside", broker_role=BrokerRole.NO_BROKER, broker=None, payment=None
    )
    execute(
        database,
        Publish(tuple(yoga), actor=MANAGER),
        book(order, Caller("acme", frozenset({"riverside"})), UUID),
        BookAtDesk(caller=desk_caller("riverside"), uuid=DESK_UUID, request=at_desk, actor=MANAGER),
    )
