"""The page on which a manager narrows and extends what a Booking Partner may book: the terms of its grant."""

from collections import defaultdict
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.names import catalogue
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.identity.partners.grants import change_terms, current_grant
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.console.partners.term_form import Choices, TermError, choices_of, fields_of, read_terms
from openbooking.web.pages import PARTNERS_PATH, Form, Problem

_STALE = "The terms have changed since you opened this page. These are the present ones."


class Granted(NamedTuple):
    """A partner, its grant of the Seller, and what the grant can be narrowed to."""

    partner: Partner
    grant: Grant
    choices: Choices

    @property
    def seen(self) -> str:
        """A text that changes with each change of the grant; the grant of all Sellers is another one."""
        return f"{'every' if self.grant.seller == EVERY_SELLER else 'own'}-{self.grant.revision}"


class PartnerTermPages:
    """The form of the terms of a partner, for managers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ids = console.system.ids

    def routes(self) -> list[Route]:
        """Return the route of the form."""
        methods = ("GET", "POST")
        return [self._console.route("/{key}/terms", self._terms, methods, managers_only=True, base=PARTNERS_PATH)]

    async def _terms(self, visit: ConsoleVisit) -> Response:
        granted = await self._granted(visit)
        if visit.request.method != "POST":
            return self._present_page(visit, granted)
        fields = await visit.form()
        if fields.get("seen") != granted.seen:
            return self._present_page(visit, granted, Problem(_STALE))
        try:
            terms = read_terms(fields, granted.grant.terms, granted.choices, self._ids)
        except TermError as fault:
            return self._page(visit, granted, fields, fault.problem)
        if not await self._save(visit, granted, terms):
            return self._present_page(visit, await self._granted(visit), Problem(_STALE))
        return visit.redirect(f"{PARTNERS_PATH}/{granted.partner.key}/terms", Notice.TERMS)

    async def _save(self, visit: ConsoleVisit, granted: Granted, terms: GrantTerms) -> bool:
        """Save the terms unless somebody has changed them meanwhile; return whether they are saved."""
        before = granted.grant.terms
        change = change_terms(lambda present: terms if present == before else present)
        grants = self._console.system.identity.grants
        saved = await grants.change(granted.partner.key, visit.seller.key, change, visit.actor)
        return saved.terms == terms

    def _present_page(self, visit: ConsoleVisit, granted: Granted, problem: Problem | None = None) -> Response:
        return self._page(visit, granted, fields_of(granted.grant.terms, granted.choices, self._ids), problem)

    def _page(self, visit: ConsoleVisit, granted: Granted, fields: Form, problem: Problem | None) -> Response:
        settings = self._console.system.settings
        return visit.page(
            "partners/partner_terms.html",
            problem=problem,
            partner=granted.partner,
            seen=granted.seen,
            fields=defaultdict(str, fields),
            choices=granted.choices,
            overrides_allowed=settings.offer_overrides,
            accounts_allowed=bool(settings.dynamic_accounts),
            usual_quotes=settings.open_quotes,
            usual_proposals=settings.open_proposals,
        )

    async def _granted(self, visit: ConsoleVisit) -> Granted:
        """Return the partner that the path names, with its grant.

        Raises:
            NotFoundOnConsoleError: The partner has no grant of this Seller.
        """
        store, key = self._console.system.identity.store, visit.request.path_params["key"]
        partners = await store.find(Partner, key=key)
        grant = current_grant(await store.find(Grant, partner=key), visit.seller.key)
        if not partners or grant is None or grant.state is GrantState.REVOKED:
            raise NotFoundOnConsoleError
        choices = choices_of([opportunity async for opportunity in catalogue(visit.views)], self._ids)
        return Granted(partners[0], grant, choices)
