"""A client of the control API of a sandbox (`Sandbox`), for tests of Brokers."""

from types import TracebackType
from typing import Any, Self

import httpx2

_SECONDS = 60


class SandboxError(Exception):
    """The sandbox refuses what a test asks for. The message says why."""


class Sandbox:
    """A running sandbox.

    Args:
        site: The address of the site.
        api_key: The API key of the Broker under test.
        api: The Base URI of the booking API.

    Attributes:
        url: The address of the site, where a Broker begins.
        api: The Base URI of the booking API.
        api_key: The API key of the Broker under test.
    """

    def __init__(self, site: str, api_key: str, api: str) -> None:
        self.url, self.api_key, self.api = site, api_key, api
        self._client = httpx2.Client(timeout=_SECONDS, trust_env=False)
        self._control = f"{site}/sandbox/api"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the sandbox."""
        self._client.close()

    def faults(self, kind: str, **plan: Any) -> None:
        """Plan a fault: `faults("503", operation=["B"], next=2)`.

        Raises:
            SandboxError: The plan has a wrong value.
        """
        self._send("POST", "/faults", {"kind": kind, **plan})

    def forget_faults(self) -> None:
        """Forget all planned faults."""
        self._send("DELETE", "/faults", {})

    def turn_clock(self, **by: float) -> None:
        """Turn the clock forwards by `days`, `hours`, `minutes` and `seconds`. What is due then is done."""
        self._send("POST", "/clock", by)

    def act(self, do: str, **values: Any) -> dict[str, Any]:
        """Act as the Seller: `act("cancel", order=uuid, message="Ill.")`. Return what was done.

        Raises:
            SandboxError: The Booking System refuses the action, or it has a wrong value.
        """
        return self._send("POST", "/actions", {"do": do, **values})

    def accept(self, order: str = "", **values: Any) -> dict[str, Any]:
        """Accept an OrderProposal; with `after_seconds` later, on the clock of the sandbox."""
        return self.act("accept", order=order, **values)

    def reject(self, order: str = "", **values: Any) -> dict[str, Any]:
        """Reject an OrderProposal."""
        return self.act("reject", order=order, **values)

    def amend(self, order: str = "", **values: Any) -> dict[str, Any]:
        """Amend an OrderProposal, with `prices` by the numbers of items, or `without` some items."""
        return self.act("amend", order=order, **values)

    def cancel(self, order: str = "", **values: Any) -> dict[str, Any]:
        """Cancel items of an Order, or all of them."""
        return self.act("cancel", order=order, **values)

    def notify(self, notice: str, order: str = "", **values: Any) -> dict[str, Any]:
        """Send a notice to the Customer."""
        return self.act("notify", order=order, notice=notice, **values)

    def replace(self, order: str = "", item: int = 1) -> dict[str, Any]:
        """Replace the Opportunity of an item."""
        return self.act("replace", order=order, item=item)

    def move(self, opportunity: str = "", **values: Any) -> dict[str, Any]:
        """Move an Opportunity by some `minutes`, or give it another `name` or `place`."""
        return self.act("move", opportunity=opportunity, **values)

    def sell_out(self, opportunity: str = "") -> dict[str, Any]:
        """Sell all spaces that are left to another Broker."""
        return self.act("sell-out", opportunity=opportunity)

    def revoke(self, partner: str = "demo") -> dict[str, Any]:
        """Revoke the access of a Booking Partner."""
        return self.act("revoke", partner=partner)

    def exchanges(self, operation: str = "", last: int = 1_000) -> list[dict[str, Any]]:
        """Return the last requests with their answers and what was wrong, newest first."""
        found: list[dict[str, Any]] = self._get("/requests", operation=operation, last=last)["requests"]
        return found

    def advice(self) -> list[dict[str, Any]]:
        """Return what the Broker must not do: each remark with `request`, `requirement` and `text`.

        The explanations of errors are in `exchanges`, because a correct Broker meets errors, too.
        """
        found: list[dict[str, Any]] = self._get("/advice")["advice"]
        return found

    def orders(self) -> list[dict[str, Any]]:
        """Return the Orders of the Broker under test that exist, with the statuses of their items."""
        found: list[dict[str, Any]] = self._get("/orders")["orders"]
        return found

    def state(self) -> dict[str, Any]:
        """Return the addresses, the keys of all Booking Partners, the clock, the faults and the actions that wait."""
        return self._get("")

    def reset(self) -> None:
        """Return to the start state."""
        self._send("POST", "/reset", {})

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return _checked(self._client.get(f"{self._control}{path}", params=query))

    def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _checked(self._client.request(method, f"{self._control}{path}", json=body))


def _checked(answer: httpx2.Response) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    if answer.is_error:
        raise SandboxError(told.get("error") or told.get("refused") or str(answer.status_code))
    return told
