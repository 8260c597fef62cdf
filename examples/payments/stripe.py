"""Hooks of payment for Stripe, against its HTTP API: a card is authorised before B and captured after it.

| Hook | Stripe |
|---|---|
| `authorise` | create and confirm a PaymentIntent with `capture_method=manual` |
| `capture` | capture the PaymentIntent |
| `void` | cancel the PaymentIntent |
| `refund` | create a Refund |

The `reference` of a booking is the id of a PaymentMethod (`pm_…`), which Stripe.js gives to your page. A card that asks
its owner to confirm a payment is declined here: confirm it on the page beforehand with a SetupIntent.

    payments = StripePayments("sk_test_…")
    booking = basket.book(payments, reference="pm_…")
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx2

from openbooking.broker import Charge, DeclinedError, TemporaryPaymentError

API = "https://api.stripe.com"
# Amounts are in the smallest unit of a currency, and these currencies have no smaller unit.
ZERO_DECIMAL = {"CLP", "JPY", "KRW", "VND", "XAF", "XOF", "XPF"}
# A lock of Stripe that is held (409), a limit (429); after a 5xx the call may have been carried out.
LOCKED = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
HELD = "requires_capture"


class StripePayments:
    """The hooks.

    Args:
        secret_key: The secret key of the Stripe account.
        client: The HTTP client; by default one for Stripe's API.
    """

    def __init__(self, secret_key: str, client: httpx2.Client | None = None) -> None:
        self._client = client or httpx2.Client(base_url=API, timeout=30)
        self._headers = {"authorization": f"Bearer {secret_key}"}

    def authorise(self, charge: Charge) -> str:
        """Hold an amount on the card."""
        intent = self._create(charge)
        if intent["status"] != HELD:
            raise DeclinedError(f"The card needs its owner to confirm the payment: {intent['status']}.")
        return str(intent["id"])

    def capture(self, charge: Charge) -> None:
        """Take the amount that is held. A late repeat must not look like a refusal, so the status is read first."""
        if self._get(f"/v1/payment_intents/{charge.payment_id}")["status"] != "succeeded":
            self._post(f"/v1/payment_intents/{charge.payment_id}/capture", charge.key, {})

    def void(self, charge: Charge) -> None:
        """Release the amount. Without an id, the same call again returns the PaymentIntent of the first one.

        Stripe keeps idempotency keys for at least 24 hours, so recover within that time.
        """
        try:
            id_ = charge.payment_id or self._create(charge)["id"]
        except DeclinedError:
            return
        if self._get(f"/v1/payment_intents/{id_}")["status"] != "canceled":
            self._post(f"/v1/payment_intents/{id_}/cancel", charge.key, {})

    def refund(self, charge: Charge) -> None:
        """Pay back a part of what was captured."""
        amount = minor_units(charge.amount, charge.currency)
        self._post("/v1/refunds", charge.key, {"payment_intent": charge.payment_id, "amount": amount})

    def _create(self, charge: Charge) -> dict[str, Any]:
        fields = {
            "amount": minor_units(charge.amount, charge.currency),
            "currency": charge.currency.lower(),
            "capture_method": "manual",
            "confirm": "true",
            "payment_method": charge.reference,
            "payment_method_types[]": "card",
            "metadata[payment]": charge.payment,
        }
        # Not the key of this call: a void repeats the creation, to learn what became of it.
        return self._post("/v1/payment_intents", charge.payment, fields)

    def _get(self, path: str) -> dict[str, Any]:
        return self._send("GET", path, self._headers, {})

    def _post(self, path: str, key: str, fields: dict[str, str]) -> dict[str, Any]:
        return self._send("POST", path, {**self._headers, "idempotency-key": key}, fields)

    def _send(self, method: str, path: str, headers: dict[str, str], fields: dict[str, str]) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, headers=headers, data=fields or None)
            document: dict[str, Any] = response.json()
        except (httpx2.HTTPError, ValueError) as fault:
            raise TemporaryPaymentError(f"Stripe cannot be reached: {fault}") from fault
        if response.is_success:
            return document
        message = document.get("error", {}).get("message", f"status {response.status_code}")
        if response.status_code in LOCKED or response.is_server_error:
            raise TemporaryPaymentError(f"Stripe cannot do this now: {message}")
        raise DeclinedError(message)


def minor_units(amount: Decimal, currency: str) -> str:
    """Return an amount in the smallest unit of its currency: 1200 for £12."""
    return str(int(amount if currency in ZERO_DECIMAL else amount * 100))
