"""The page on which a user who works for several Sellers chooses one."""

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.menu import MenuEntry

SELLERS_PATH = f"{CONSOLE_PATH}/sellers"


class SellerChoicePages:
    """The page of the choice. All other pages show the chosen Seller only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [
            self._console.route(
                "/sellers",
                self._choose,
                ("GET", "POST"),
                menu=MenuEntry("Change organisation", lambda user: bool(user.others), is_account=True),
            )
        ]

    async def _choose(self, visit: ConsoleVisit) -> Response:
        if visit.request.method == "POST":
            chosen = (await visit.form()).get("seller", "")
            if chosen not in visit.user.roles:
                raise NotFoundOnConsoleError
            await self._console.system.identity.accounts.choose_seller(visit.visit.secret, chosen)
            return visit.redirect(CONSOLE_PATH, Notice.SELLER_CHOSEN)
        names = {seller.key: seller.name for seller in await self._console.system.store.sellers()}
        rows = [(key, names.get(key, key), role) for key, role in visit.user.roles.items()]
        return visit.page("seller/sellers.html", rows=sorted(rows, key=lambda row: row[1].casefold()))
