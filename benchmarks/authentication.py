"""The cost of identifying the caller: C1 without a Lease, as a fraction of C1 behind a gateway that identifies callers.

Callers send an API key or an access token; for both the server reads the grants again. The differences are smaller
than the variation of a machine from minute to minute. So servers of each kind run side by side and are measured in
short turns.
"""

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx2

from booking import OPPORTUNITIES, Bench, order_bodies
from openbooking.identity.digests import digest
from openbooking.identity.records import Authorization, Grant
from openbooking.identity.scopes import Scope
from openbooking.openactive.ids import Identifiers
from openbooking.settings import Settings
from openbooking.system import open_identity_store
from stage import HOST, folder, free_port, put_load, server, tell_medians
from stock import CLIENT_SECRET, PARTNER, SELLER, headers, settings_of

CALLERS = 32
ROUNDS = 20
SECONDS = 1.0
GATEWAY = "X-Partner"
AUTHORIZATION = "1"
REFRESH_TOKEN = f"obr_benchmark.{AUTHORIZATION}"
MODES = {
    "headers": {"access": "headers", "trusted_partner_header": GATEWAY},
    "api-key": {"access": "api-key"},
    "openid": {"access": "openid"},
}


async def authorize(settings: Settings) -> None:
    """Store the result of a Seller's consent: its grant, and an authorization with a refresh token."""
    now, scopes = datetime.now(UTC), frozenset({Scope.OPENBOOKING})
    identity = open_identity_store(settings)
    await identity.save(
        Grant(partner=PARTNER, seller=SELLER.key, scopes=scopes, changed=now, changed_by=PARTNER),
        Authorization(
            id=AUTHORIZATION,
            partner=PARTNER,
            seller=SELLER.key,
            user=None,
            scopes=scopes,
            issued=now,
            expires=now + timedelta(days=1),
            refresh_digests=(digest(REFRESH_TOKEN),),
        ),
    )
    await identity.close()


class Served:
    """A server that identifies callers in one way, and answers their C1s."""

    def __init__(self, bench: Bench, mode: str, running: ExitStack) -> None:
        self._port = free_port()
        self._lines = bench.place / mode
        self._bodies = order_bodies(Identifiers(settings_of("", self._port).base_uri), OPPORTUNITIES, "OrderQuote")
        running.enter_context(server(bench.copy(), self._port, **MODES[mode]))
        self._sent = self._credentials(mode)

    def rate(self) -> float:
        """Return the answers per second."""
        path = "/api/order-quote-templates"
        return put_load(self._port, path, self._bodies, self._sent, self._lines, callers=CALLERS, seconds=SECONDS).rate

    def _credentials(self, mode: str) -> dict[str, str]:
        """Return the headers by which callers identify themselves."""
        if mode == "api-key":
            return headers()
        if mode == "headers":
            return {**headers(), GATEWAY: PARTNER}
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
        url = f"http://{HOST}:{self._port}/oauth/token"
        tokens = httpx2.post(url, data=form, auth=(PARTNER, CLIENT_SECRET)).raise_for_status().json()
        return {**headers(), "Authorization": f"Bearer {tokens['access_token']}"}


def main() -> None:
    """Print the ratios."""
    with folder() as place, ExitStack() as running:
        bench = Bench(place)
        asyncio.run(authorize(settings_of(str(bench.stocked), bench.port)))
        served = {mode: Served(bench, mode, running) for mode in MODES}
        rounds = [{mode: one.rate() for mode, one in served.items()} for _ in range(ROUNDS)]
        for mode in ("api-key", "openid"):
            what = f"C1 known by {mode}, {CALLERS} callers"
            tell_medians(what, [(rates[mode], rates["headers"]) for rates in rounds], aim=0.9)


if __name__ == "__main__":
    main()
