"""The page on which a user asks to be told by e-mail that proposals wait."""

from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import MAIL_PATH
from openbooking.identity.records import ProposalMail
from openbooking.openactive.contact_details import is_ascii_email
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.pages import Problem

_CHANGED = "The address was changed in another window. Nothing has been saved. Look at it again."


class ProposalMailPages:
    """The form for the address of the user who is signed in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._store = console.system.identity.store

    def routes(self) -> list[Route]:
        """Return the route of the form."""
        return [self._console.route("/e-mail", self._mail, ("GET", "POST"))]

    async def _mail(self, visit: ConsoleVisit) -> Response:
        wish = await self._wish(visit)
        if visit.request.method != "POST":
            return self._page(visit, wish.address, wish.address, is_wanted=bool(wish.revision))
        fields = await visit.form()
        address, is_wanted = fields.get("address", "").strip(), fields.get("wanted") == "yes"
        seen = fields.get("seen", "")
        if is_wanted and not is_ascii_email(address):
            problem = Problem("Enter an e-mail address, such as ann@example.com.", ("address",))
            return self._page(visit, address, seen, is_wanted=is_wanted, problem=problem)
        while wish.address == seen:
            if await self._save(replace(wish, address=address), is_wanted=is_wanted):
                return visit.redirect(MAIL_PATH, Notice.MAIL)
            # The wish was changed at the same time, in another window or by an e-mail.
            wish = await self._wish(visit)
        return self._page(visit, wish.address, wish.address, is_wanted=bool(wish.revision), problem=Problem(_CHANGED))

    async def _save(self, wish: ProposalMail, *, is_wanted: bool) -> bool:
        """Save or remove the wish; return False if the stored one has changed meanwhile."""
        if is_wanted:
            return await self._store.save(wish)
        return not wish.revision or await self._store.save(removed=[wish])

    async def _wish(self, visit: ConsoleVisit) -> ProposalMail:
        """Return the stored wish of the user, or a new one without an address."""
        seller, user = visit.seller.key, visit.user
        found = await self._store.find(ProposalMail, seller=seller, username=user.name)
        if found and found[0].account == user.account:
            return found[0]
        revision = found[0].revision if found else 0
        return ProposalMail(seller=seller, username=user.name, account=user.account, address="", revision=revision)

    def _page(
        self, visit: ConsoleVisit, address: str, seen: str, *, is_wanted: bool, problem: Problem | None = None
    ) -> Response:
        """Return the page with an address, and the stored address that it shows or has shown."""
        settings = self._console.system.settings
        return visit.page(
            "bookings/proposal_mail.html",
            problem=problem,
            address=address,
            seen=seen,
            is_wanted=is_wanted,
            sends_mail=bool(settings.smtp_host),
            minutes=settings.proposal_mail_minutes,
        )
