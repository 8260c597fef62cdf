"""The pages on which a Seller sees its Booking Partners, and pauses, resumes or stops partners."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.names import partner_names
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.booking.model.order import Partnership
from openbooking.booking.views import PartnerMonth, StoreWithViews
from openbooking.identity.partners.grants import GrantChange, current_grant, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.settings import AccessMode
from openbooking.system import System
from openbooking.web.console.csv_replies import csv_reply
from openbooking.web.console.partners.usage import MONTH_COLUMNS, feed_states, month_cells, partner_months, usage_rows
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import PARTNERS_PATH, Pages, ServeSignedIn, Visit

_CSV_QUERY = "format=csv"


class SellerPartnerPages:
    """The pages about the Booking Partners of a Seller."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._provider = system.identity
        self._pages = pages
        self._zone = system.settings.policy.time_zone
        self._has_terms_page = isinstance(system.store, StoreWithViews)
        # With API keys no partner can ask a Seller for consent: the operator gives the grants.
        self._partners_ask = system.settings.access is AccessMode.OPENID

    def routes(self) -> list[Route]:
        """Return the routes of the list and of the actions on one partner."""
        return [
            self._route("", self._list, menu=MenuEntry("Booking partners", lambda user: user.role.may_manage)),
            self._route("/{key}/revoke", self._revoke, ("GET", "POST")),
            self._route("/{key}/suspend", self._suspend, ("POST",)),
            self._route("/{key}/resume", self._resume, ("POST",)),
        ]

    def _route(
        self, path: str, serve: ServeSignedIn, methods: Collection[str] = ("GET",), menu: MenuEntry | None = None
    ) -> Route:
        """Return the route of a page for managers."""

        async def serve_managers(request: Request, visit: Visit, signed_in: SignedIn) -> Response:
            if not signed_in.user.role.may_manage:
                return self._pages.page(request, visit, "console/may_not_see.html", status=HTTPStatus.FORBIDDEN)
            return await serve(request, visit, signed_in)

        return self._pages.route_signed_in(PARTNERS_PATH + path, serve_managers, methods, menu=menu)

    async def _list(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        seller = signed_in.user.seller
        months, names = await self._months(seller), await partner_names(self._provider.store, seller)
        if request.url.query == _CSV_QUERY:
            return csv_reply("bookings-by-partner", MONTH_COLUMNS, [month_cells(row, names) for row in months])
        counts = await self._system.store.order_counts()
        found = await self._partners(seller)
        feeds = await feed_states(self._system, {partner.key for partner, _ in found}, self._zone)
        described = [
            {
                "partner": partner,
                "grant": grant,
                "feed": feeds[partner.key],
                "orders": counts.get(Partnership(partner.key, seller), 0),
                "books": grant.allows_booking and not partner.suspended,
                "on_terms": grant.terms != NO_TERMS,
            }
            for partner, grant in found
        ]
        shown = await self._provider.seller(seller)
        return self._pages.page(
            request,
            visit,
            "console/partners/partners.html",
            brand=shown,
            seller=shown,
            allowed=[row for row in described if _state(row) is not GrantState.REVOKED],
            former=[row for row in described if _state(row) is GrantState.REVOKED],
            partners_ask=self._partners_ask,
            months=usage_rows(months, names),
            csv_query=_CSV_QUERY,
            has_terms_page=self._has_terms_page,
        )

    async def _months(self, seller: str) -> list[PartnerMonth]:
        """Return the bookings of the partners by month; none if the store has no views."""
        if not isinstance(self._system.store, StoreWithViews):
            return []
        today = self._system.clock().astimezone(self._zone).date()
        return await partner_months(self._system.store.views.of(seller), today, self._zone)

    async def _revoke(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        if request.method == "POST":
            return await self._change(request, visit, signed_in, revoke)
        for partner, grant in await self._partners(signed_in.user.seller):
            if partner.key == request.path_params["key"] and grant.state is not GrantState.REVOKED:
                seller = await self._provider.seller(signed_in.user.seller)
                return self._pages.page(
                    request,
                    visit,
                    "console/partners/revoke.html",
                    brand=seller,
                    partner=partner,
                    seller=seller,
                    may_ask_again=self._partners_ask and bool(partner.redirect_uris),
                )
        return self._pages.redirect(PARTNERS_PATH)

    async def _suspend(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        return await self._change(request, visit, signed_in, suspend)

    async def _resume(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        return await self._change(request, visit, signed_in, resume)

    async def _change(self, request: Request, visit: Visit, signed_in: SignedIn, change: GrantChange) -> Response:
        await self._pages.read_form(request, visit)
        user, key = signed_in.user, request.path_params["key"]
        if any(partner.key == key for partner, _ in await self._partners(user.seller)):
            await self._provider.grants.change(key, user.seller, change, Actor(ActorKind.STAFF, user.name))
        return self._pages.redirect(PARTNERS_PATH)

    async def _partners(self, seller: str) -> list[tuple[Partner, Grant]]:
        """Return the partners that have or had a grant of this Seller, each with its current grant."""
        own = await self._provider.store.find(Grant, seller=seller)
        every = await self._provider.store.find(Grant, seller=EVERY_SELLER)
        found = []
        for partner in await self._provider.store.find(Partner):
            grant = current_grant([grant for grant in (*own, *every) if grant.partner == partner.key], seller)
            if grant:
                found.append((partner, grant))
        return sorted(found, key=lambda pair: pair[0].name.casefold())


def _state(row: dict[str, Any]) -> GrantState:
    grant = row["grant"]
    assert isinstance(grant, Grant)  # noqa: S101 - set by `_list`
    return grant.state
