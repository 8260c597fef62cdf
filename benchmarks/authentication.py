"""What it costs to know who calls: C1 without a Lease, as a fraction of what it is where a gateway says who calls.

Callers show an API key or an access token; for both the grants are read anew, and the token's signature verified.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx

from booking import OPPORTUNITIES, ROUNDS, Bench, order_bodies
from openbooking.identity.digests import digest
from openbooking.identity.records import Authorization, Grant
from openbooking.identity.scopes import Scope
from openbooking.settings import Settings
from openbooking.system import open_identity_store
from stage import HOST, folder, server, tell
from stock import CLIENT_SECRET, PARTNER, SELLER, headers, settings_of

CALLERS = 32
GATEWAY = "X-Partner"
AUTHORIZATION = "1"
REFRESH_TOKEN = f"obr_benchmark.{AUTHORIZATION}"
MODES = {
    "headers": {"access": "headers", "trusted_partner_header": GATEWAY},
    "api-key": {"access": "api-key"},
    "openid": {"access": "openid"},
}


async def authorize(settings: Settings) -> None:
    """Leave what a Seller's consent leaves: its grant, and an authorization with a refresh token."""
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


class AuthenticationBench(Bench):
    """C1 by each way of knowing callers."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        asyncio.run(authorize(settings_of(str(self.stocked), self.port)))

    def measure(self, mode: str) -> float:
        """Answers a second."""
        bodies = order_bodies(self.ids, OPPORTUNITIES, "OrderQuote")
        with server(self.copy(), self.port, **MODES[mode]):
            return self.put(bodies, CALLERS, "order-quote-templates", self.credentials(mode)).rate

    def credentials(self, mode: str) -> dict[str, str]:
        """What callers show."""
        if mode == "api-key":
            return headers()
        if mode == "headers":
            return {**headers(), GATEWAY: PARTNER}
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
        url = f"http://{HOST}:{self.port}/oauth/token"
        tokens = httpx.post(url, data=form, auth=(PARTNER, CLIENT_SECRET)).raise_for_status().json()
        return {**headers(), "Authorization": f"Bearer {tokens['access_token']}"}


def main() -> None:
    """Print the ratios."""
    with folder() as place:
        bench = AuthenticationBench(place)
        rates: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(ROUNDS):
            for mode, measured in rates.items():
                measured.append(bench.measure(mode))
        for mode in ("api-key", "openid"):
            tell(f"C1 known by {mode}, {CALLERS} callers", median(rates[mode]), median(rates["headers"]), aim=0.9)


if __name__ == "__main__":
    main()
