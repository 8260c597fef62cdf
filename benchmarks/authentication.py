"""What it costs to know who calls: C1 without a Lease, as a fraction of what it is where a gateway says who calls.

Callers show an API key or an access token; for both the grants are read anew, and the token's signature verified.
"""

from statistics import median

import httpx

from booking import OPPORTUNITIES, ROUNDS, Bench, order_bodies
from openbooking.identity.scopes import Scope
from stage import HOST, folder, server, tell
from stock import CLIENT_SECRET, PARTNER, headers

CALLERS = 32
GATEWAY = "X-Partner"
MODES = {
    "headers": {"access": "headers", "trusted_partner_header": GATEWAY},
    "api-key": {"access": "api-key"},
    "openid": {"access": "openid"},
}


class AuthenticationBench(Bench):
    """C1 by each way of knowing callers."""

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
        form = {"grant_type": "client_credentials", "scope": Scope.OPENBOOKING}
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
