"""Hooks of payment for GoCardless, against its HTTP API: a Direct Debit, which cannot be authorised beforehand.

| Hook | GoCardless |
|---|---|
| `authorise` | check that the mandate can be charged; nothing is held |
| `capture` | create a payment on the mandate |
| `void` | nothing: no money was held |
| `refund` | create a refund of the payment (enable refunds in your account first) |

The `reference` of a booking is the id of a mandate (`MD…`), which the Customer gives once by a Billing Request with a
`mandate_request`.

A Direct Debit is collected days later, and the bank of the Customer can still refuse it. The booking then exists and is
not paid for. Watch the webhook `payments.failed`, and ask the Customer to pay in another way or cancel the Order. Where
that risk is too large, take a card. Or take an instant payment before you book, by a Billing Request with a
`payment_request`: the hook `authorise` then checks that it is fulfilled, and the hook `void` refunds it.
"""

from decimal import Decimal
from typing import Any

import httpx2

from openbooking.broker import Charge, DeclinedError, TemporaryPaymentError

API = "https://api.gocardless.com"
VERSION = "2015-07-06"
CHARGEABLE = {"pending_submission", "submitted", "active"}
TOO_MANY_REQUESTS = 429
CONFLICT = "idempotent_creation_conflict"


class GoCardlessPayments:
    """The hooks.

    Args:
        access_token: The access token of the GoCardless account.
        client: The HTTP client; by default one for GoCardless' API.
    """

    def __init__(self, access_token: str, client: httpx2.Client | None = None) -> None:
        self._client = client or httpx2.Client(base_url=API, timeout=30)
        self._headers = {"authorization": f"Bearer {access_token}", "gocardless-version": VERSION}

    def authorise(self, charge: Charge) -> str:
        """Check the mandate. The id of the payment is our key, as GoCardless gives an id only at the capture."""
        status = self._send("GET", f"/mandates/{charge.reference}")["mandates"]["status"]
        if status not in CHARGEABLE:
            raise DeclinedError(f"The mandate cannot be charged: {status}.")
        return charge.payment

    def capture(self, charge: Charge) -> None:
        """Collect the amount by Direct Debit."""
        self._payment(charge, charge.amount)

    def void(self, charge: Charge) -> None:
        """Do nothing: a mandate holds no money."""

    def refund(self, charge: Charge) -> None:
        """Pay back a part of a payment that was collected.

        GoCardless asks for the sum of all refunds, so that two refunds at the same time cannot pay too much back.
        """
        # The payment exists, so this finds it by its key.
        payment = self._payment(charge, charge.amount)
        refunded = int(self._send("GET", f"/payments/{payment}")["payments"]["amount_refunded"])
        amount = pence(charge.amount)
        body = {
            "amount": amount,
            "total_amount_confirmation": refunded + amount,
            "links": {"payment": payment},
        }
        self._create("refunds", charge.key, body)

    def _payment(self, charge: Charge, amount: Decimal) -> str:
        """Create the payment of a charge, and return its id; if it exists, return the id alone."""
        body = {
            "amount": pence(amount),
            "currency": charge.currency,
            "links": {"mandate": charge.reference},
            "metadata": {"payment": charge.payment},
        }
        return self._create("payments", f"{charge.payment}-payment", body)

    def _create(self, kind: str, key: str, body: dict[str, Any]) -> str:
        """Create a resource once, and return its id."""
        document = self._send("POST", f"/{kind}", {kind: body}, {"idempotency-key": key})
        return str(document[kind]["id"])

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, headers=self._headers | (headers or {}), json=body)
            document: dict[str, Any] = response.json()
        except (httpx2.HTTPError, ValueError) as fault:
            raise TemporaryPaymentError(f"GoCardless cannot be reached: {fault}") from fault
        if response.is_success:
            return document
        error = document.get("error", {})
        for reason in error.get("errors", []):
            if reason.get("reason") == CONFLICT:
                return {path.strip("/"): {"id": reason["links"]["conflicting_resource_id"]}}
        message = error.get("message", f"status {response.status_code}")
        if response.is_server_error or response.status_code == TOO_MANY_REQUESTS:
            raise TemporaryPaymentError(f"GoCardless cannot do this now: {message}")
        raise DeclinedError(message)


def pence(amount: Decimal) -> int:
    """Return an amount in the smallest unit of its currency: 1200 for £12."""
    return int(amount * 100)
