"""The base of the pages of the Seller's console: who may see a page, its Seller, its views and its commands."""

from collections.abc import Awaitable, Callable, Collection
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office import descriptions, formats
from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.back_office.names import partner_names
from openbooking.booking.command import Command
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.store import Reply
from openbooking.booking.views import InvalidCursorError, Occurrence, SellerViews, Views
from openbooking.identity.records import User
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.openactive.errors import OpenBookingError
from openbooking.system import System
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import BadFormError, Form, Pages, Problem, Visit, parse_fields

# Pages show the days before and after these, in any time zone.
_FIRST_DAY, _LAST_DAY = date(1970, 1, 3), date(9999, 1, 1)


class NotFoundOnConsoleError(Exception):
    """The Seller has no such Order, occurrence or person; those of other Sellers do not exist for this one."""


class Notice(StrEnum):
    """The message of a page about the form before it; the value is in the query, and the text in `NOTICES`."""

    ATTENDANCE = "attendance"
    ATTENDANCE_UNDONE = "attendance-undone"
    CANCELLED = "cancelled"
    OCCURRENCE_CANCELLED = "occurrence-cancelled"
    NOTIFIED = "notified"
    NOTICE_REMOVED = "notice-removed"
    ALL_NOTIFIED = "all-notified"
    ACCESS_RENEWED = "access"
    REPLACED = "replaced"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AMENDED = "amended"
    PUT_ON_SALE = "on-sale"
    TAKEN_OFF_SALE = "off-sale"
    TERMS = "terms"
    MAIL = "e-mail"
    SELLER_CHOSEN = "seller"
    ROLE_CHANGED = "role"
    STAFF_REMOVED = "staff-removed"
    DATA_ERASED = "erased"
    DETAILS_CHANGED = "details"
    BOOKED = "booked"
    BOOKED_BEFORE = "booked-before"
    CHANGED_AT_DESK = "changed-at-desk"
    CANCELLED_AT_DESK = "cancelled-at-desk"
    PAID = "paid"
    TIMETABLE_SAVED = "timetable-saved"
    TIMETABLE_UNCHANGED = "timetable-unchanged"
    TIMETABLE_REMOVED = "timetable-removed"
    ACCESS_REFUSED = "access-refused"


NOTICES = {
    Notice.ATTENDANCE: "Attendance recorded.",
    Notice.ATTENDANCE_UNDONE: "Record of attendance removed.",
    Notice.CANCELLED: "Cancelled. The partner learns of it from its feed.",
    Notice.OCCURRENCE_CANCELLED: "Session cancelled. The partners learn of it from their feeds.",
    Notice.NOTIFIED: "Notice sent. The partner reads it from its feed.",
    Notice.ALL_NOTIFIED: "Notice sent. The partners read it from their feeds.",
    Notice.NOTICE_REMOVED: "Notice removed. The partner learns of it from its feed.",
    Notice.ACCESS_RENEWED: "Access renewed.",
    Notice.REPLACED: "Replaced. The partner learns of it from its feed.",
    Notice.ACCEPTED: "Accepted. The partner can book now.",
    Notice.REJECTED: "Rejected. The partner learns of it from its feed.",
    Notice.AMENDED: "Offered with your changes. The customer decides now.",
    Notice.PUT_ON_SALE: "Put on sale. Apps show it within seconds.",
    Notice.TAKEN_OFF_SALE: "Taken off sale. Apps stop showing it within seconds.",
    Notice.MAIL: "Saved.",
    Notice.TERMS: "Terms saved. They apply from now on.",
    Notice.SELLER_CHOSEN: "All pages show this organisation now.",
    Notice.ROLE_CHANGED: "Role changed.",
    Notice.STAFF_REMOVED: "Removed. The person can no longer see your pages.",
    Notice.DATA_ERASED: "Personal data erased.",
    Notice.DETAILS_CHANGED: "Details published. The feeds show them within a few minutes.",
    Notice.BOOKED: "Booked.",
    Notice.BOOKED_BEFORE: "This form was booked already, and not booked again. This is its receipt.",
    Notice.CANCELLED_AT_DESK: (
        "Cancelled. This was booked at the front desk: tell the customer yourself, and give back what was paid."
    ),
    Notice.CHANGED_AT_DESK: "Done. This was booked at the front desk: tell the customer yourself.",
    Notice.PAID: "Payment recorded. It counts in the takings of today.",
    Notice.TIMETABLE_SAVED: "Saved. What is on sale follows within a minute or two.",
    Notice.TIMETABLE_UNCHANGED: "Nothing was changed.",
    Notice.ACCESS_REFUSED: "Refused. Nobody is told by this system.",
    Notice.TIMETABLE_REMOVED: "Removed. What is on sale follows within a minute or two.",
}


class ConsoleVisit(NamedTuple):
    """A visit of a signed-in user to a page of the console.

    Attributes:
        console: The console.
        request: The request.
        visit: The visit of the browser.
        user: The user.
        seller: The Seller that the user works for.
        views: The views of that Seller.
    """

    console: "Console"
    request: Request
    visit: Visit
    user: User
    seller: Seller
    views: SellerViews

    @property
    def now(self) -> datetime:
        """The current time, in the time zone of the Booking System."""
        return self.local(self.console.system.clock())

    @property
    def today(self) -> date:
        """The current day in that time zone."""
        return self.now.date()

    @property
    def actor(self) -> Actor:
        """The user as the actor of commands."""
        return Actor(ActorKind.STAFF, self.user.name)

    @property
    def query(self) -> Form:
        """The fields of the query; a query that cannot be read has none."""
        try:
            return parse_fields(self.request.url.query)
        except BadFormError:
            return {}

    def local(self, instant: datetime) -> datetime:
        """Return the instant in the time zone of the Booking System."""
        return instant.astimezone(self.console.zone)

    def day(self, field: str = "day") -> date:
        """Return the day in a field of the query; today if the field has no date."""
        day = formats.parse_date(self.query.get(field, ""))
        return day if day and _FIRST_DAY < day < _LAST_DAY else self.today

    async def form(self) -> Form:
        """Return the fields of the form, after a check of its CSRF token."""
        return await self.console.pages.read_form(self.request, self.visit)

    async def execute(self, command: Command[Reply]) -> Reply:
        """Execute a command."""
        return await self.console.system.store.execute(command)

    async def try_(self, command: Command[Any]) -> Problem | None:
        """Execute a command, and return the problem if it is refused."""
        try:
            await self.execute(command)
        except OpenBookingError as refusal:
            return Problem(refusal.description or refusal.name)
        return None

    async def occurrence(self) -> Occurrence:
        """Return the occurrence that the path names.

        Raises:
            NotFoundOnConsoleError: The Seller has no such occurrence.
        """
        occurrence = await self.views.occurrence(self.request.path_params["opportunity"])
        if occurrence is None:
            raise NotFoundOnConsoleError
        return occurrence

    async def order(self) -> OrderRecord:
        """Return the Order that the path names.

        Raises:
            NotFoundOnConsoleError: The Seller has no such Order.
        """
        record = await self.views.order(self.key)
        if not isinstance(record, OrderRecord):
            raise NotFoundOnConsoleError
        return record

    async def proposal(self) -> ProposalRecord:
        """Return the OrderProposal that the path names.

        Raises:
            NotFoundOnConsoleError: The Seller has no such OrderProposal.
        """
        record = await self.views.order(self.key)
        if not isinstance(record, ProposalRecord):
            raise NotFoundOnConsoleError
        return record

    @property
    def key(self) -> OrderKey:
        """The key of the Order in the path."""
        return OrderKey(self.request.path_params["partner"], self.request.path_params["uuid"])

    async def partner_names(self) -> dict[str, str]:
        """Return the names of the front desk and of the partners with a grant of the Seller, now or earlier, by key."""
        return await partner_names(self.console.system.identity.store, self.seller.key)

    def page(self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """Return a page of the console.

        Args:
            template: The name of the template below `console/`.
            status: The HTTP status.
            values: The values for the template.
        """
        notice = self.query.get("done", "")
        return self.console.pages.page(
            self.request,
            self.visit,
            f"console/{template}",
            status=status,
            brand=self.seller,
            seller=self.seller,
            role=self.user.role,
            now=self.now,
            today=self.today,
            notice=NOTICES[Notice(notice)] if notice in set(Notice) else "",
            **values,
        )

    def redirect(self, path: str, done: Notice | None = None) -> Response:
        """Redirect the browser to a path, whose page shows the notice."""
        separator = "&" if "?" in path else "?"
        before, hash_, fragment = path.partition("#")
        return self.console.pages.redirect(f"{before}{separator}done={done}{hash_}{fragment}" if done else path)


Serve = Callable[[ConsoleVisit], Awaitable[Response]]


class Console:
    """The console: it makes the routes of its pages.

    Args:
        system: The Booking System.
        pages: The base of all pages.
        views: The views of the store.
    """

    def __init__(self, system: System, pages: Pages, views: Views) -> None:
        self.system = system
        self.pages = pages
        self._views = views
        self.zone = zone = system.settings.policy.time_zone
        pages.add_filters(
            date=lambda instant: formats.format_date(_local(instant, zone)),
            short_date=lambda instant: formats.format_short_date(_local(instant, zone)),
            time=lambda instant: formats.format_time(instant.astimezone(zone)),
            money=formats.format_money,
            person=descriptions.person_name,
            item_status=lambda status: descriptions.ITEM_STATUSES[status],
            proposal_status=lambda status: descriptions.PROPOSAL_STATUSES[status],
        )

    def route(  # noqa: PLR0913 - the parts of a route
        self,
        path: str,
        serve: Serve,
        methods: Collection[str] = ("GET",),
        *,
        menu: str | MenuEntry = "",
        managers_only: bool = False,
        base: str = CONSOLE_PATH,
    ) -> Route:
        """Return the route of a page of the console.

        Args:
            path: The path below `base`.
            serve: Makes the page.
            methods: The HTTP methods of the page.
            menu: The text of the link in the menu, or the link; empty for a page that is not in the menu.
            managers_only: Whether staff who are no managers get an error page instead.
            base: The path before `path`.
        """
        if isinstance(menu, str):
            menu = MenuEntry(menu, partial(_may_see, managers_only=managers_only))

        async def endpoint(request: Request, visit: Visit, signed_in: SignedIn) -> Response:
            return await self._serve(serve, request, visit, signed_in.user, managers_only=managers_only)

        return self.pages.route_signed_in(base + path, endpoint, methods, menu=menu if menu.title else None)

    async def _serve(
        self, serve: Serve, request: Request, visit: Visit, user: User, *, managers_only: bool
    ) -> Response:
        seller = await self.system.identity.seller(user.seller)
        if not _may_see(user, managers_only=managers_only):
            return self._refuse(request, visit, "may_not_see.html", HTTPStatus.FORBIDDEN, seller)
        if seller is None:
            return self._refuse(request, visit, "not_found.html", HTTPStatus.NOT_FOUND, seller)
        try:
            return await serve(ConsoleVisit(self, request, visit, user, seller, self._views.of(seller.key)))
        except (NotFoundOnConsoleError, InvalidCursorError):
            return self._refuse(request, visit, "not_found.html", HTTPStatus.NOT_FOUND, seller)

    def _refuse(
        self, request: Request, visit: Visit, template: str, status: HTTPStatus, seller: Seller | None
    ) -> Response:
        """Return a page that says why the wanted page is not shown."""
        return self.pages.page(request, visit, f"console/{template}", status=status, brand=seller)


def _may_see(user: User, *, managers_only: bool) -> bool:
    return not managers_only or user.role.may_manage


def _local(day: date | datetime, zone: Any) -> date | datetime:
    """Return an instant in the time zone; a date stays as it is."""
    return day.astimezone(zone) if isinstance(day, datetime) else day
