"""The examples of payment hooks, against stand-ins of the providers' HTTP APIs."""

import importlib.util
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from openbooking.broker.money.payments import Charge, DeclinedError, TemporaryPaymentError

EXAMPLES = Path(__file__).parents[2] / "examples" / "payments"
ORDER = uuid.uuid4()


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def charge(step: str, payment_id: str = "", amount: str = "12.00", reference: str = "good") -> Charge:
    key = "p-1" if step == "authorise" else f"p-1-{step}"
    return Charge(key, "p-1", Decimal(amount), "GBP", ORDER, reference, payment_id)


class Stripe:
    """A stand-in of Stripe: PaymentIntents and Refunds, and repeats by their idempotency keys."""

    def __init__(self) -> None:
        self.intents = dict[str, dict[str, Any]]()
        self.refunds = list[dict[str, str]]()
        self.replies = dict[str, tuple[dict[str, str], httpx2.Response]]()
        self.lost = False
        self.status: int | None = None

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer sk_test"
        if self.status:
            return httpx2.Response(self.status, json={"error": {"message": "try again"}})
        if request.method == "GET":
            return httpx2.Response(200, json=self.intents[request.url.path.split("/")[3]])
        fields, key = dict(parse_qsl(request.content.decode())), request.headers["idempotency-key"]
        if key not in self.replies:
            self.replies[key] = (fields, self._do(request.url.path, fields))
        known, response = self.replies[key]
        assert known == fields
        if self.lost:
            self.lost = False
            raise httpx2.ReadError("cut")
        return httpx2.Response(response.status_code, content=response.content)

    def _do(self, path: str, fields: dict[str, str]) -> httpx2.Response:
        if path == "/v1/refunds":
            self.refunds.append(fields)
            return httpx2.Response(200, json={"id": "re_1"})
        if path == "/v1/payment_intents":
            assert (fields["capture_method"], fields["amount"], fields["currency"]) == ("manual", "1200", "gbp")
            if fields["payment_method"] == "bad":
                return httpx2.Response(402, json={"error": {"message": "Your card was declined."}})
            id_ = f"pi_{len(self.intents)}"
            status = "requires_action" if fields["payment_method"] == "asks" else "requires_capture"
            self.intents[id_] = {"id": id_, "status": status}
            return httpx2.Response(200, json=self.intents[id_])
        id_, action = path.split("/")[3:]
        self.intents[id_]["status"] = {"capture": "succeeded", "cancel": "canceled"}[action]
        return httpx2.Response(200, json=self.intents[id_])

    def hooks(self) -> Any:
        client = httpx2.Client(transport=httpx2.MockTransport(self.handle), base_url="https://stripe.example")
        return load("stripe").StripePayments("sk_test", client)

    def statuses(self) -> list[str]:
        return [intent["status"] for intent in self.intents.values()]


def test_stripe_holds_then_takes_then_pays_back() -> None:
    stripe = Stripe()
    hooks = stripe.hooks()
    id_ = hooks.authorise(charge("authorise"))
    assert (id_, stripe.statuses()) == ("pi_0", ["requires_capture"])
    hooks.capture(charge("capture", id_))
    hooks.refund(charge("refund-0", id_, "4.50"))
    hooks.refund(charge("refund-0", id_, "4.50"))
    assert stripe.statuses() == ["succeeded"]
    assert stripe.refunds == [{"payment_intent": "pi_0", "amount": "450"}]


def test_stripe_captures_once_when_it_has_forgotten_the_key() -> None:
    stripe = Stripe()
    hooks = stripe.hooks()
    id_ = hooks.authorise(charge("authorise"))
    hooks.capture(charge("capture", id_))
    stripe.replies.clear()
    hooks.capture(charge("capture", id_))
    assert (stripe.statuses(), stripe.replies) == (["succeeded"], {})


def test_stripe_releases_an_authorisation_whose_answer_was_lost() -> None:
    stripe = Stripe()
    stripe.lost = True
    hooks = stripe.hooks()
    with pytest.raises(TemporaryPaymentError):
        hooks.authorise(charge("authorise"))
    hooks.void(charge("void"))
    hooks.void(charge("void"))
    assert stripe.statuses() == ["canceled"]


@pytest.mark.parametrize("card", ["bad", "asks"])
def test_stripe_declines_a_card_and_nothing_is_held_after_a_void(card: str) -> None:
    stripe = Stripe()
    hooks = stripe.hooks()
    with pytest.raises(DeclinedError):
        hooks.authorise(charge("authorise", reference=card))
    hooks.void(charge("void", reference=card))
    assert "requires_capture" not in stripe.statuses()


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_stripe_that_is_busy_is_temporary(status: int) -> None:
    stripe = Stripe()
    stripe.status = status
    with pytest.raises(TemporaryPaymentError):
        stripe.hooks().authorise(charge("authorise"))


class GoCardless:
    """A stand-in of GoCardless: mandates, payments and refunds, and conflicts for repeated keys."""

    def __init__(self) -> None:
        self.keys = dict[str, str]()
        self.payments = dict[str, dict[str, Any]]()
        self.refunds = list[int]()
        self.lost = False

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["gocardless-version"] == "2015-07-06"
        kind, *rest = request.url.path.strip("/").split("/")
        if request.method == "GET" and kind == "mandates":
            status = "active" if rest == ["good"] else "cancelled"
            return httpx2.Response(200, json={"mandates": {"id": rest[0], "status": status}})
        if request.method == "GET":
            return httpx2.Response(200, json={"payments": self.payments[rest[0]]})
        key, body = request.headers["idempotency-key"], json.loads(request.content)[kind]
        if key in self.keys:
            reason = {"reason": "idempotent_creation_conflict", "links": {"conflicting_resource_id": self.keys[key]}}
            return httpx2.Response(409, json={"error": {"message": "exists", "errors": [reason]}})
        self.keys[key] = f"{kind}-{len(self.keys)}"
        if kind == "payments":
            self.payments[self.keys[key]] = {"amount": body["amount"], "amount_refunded": 0}
        else:
            payment = self.payments[body["links"]["payment"]]
            payment["amount_refunded"] += body["amount"]
            assert payment["amount_refunded"] == body["total_amount_confirmation"]
            self.refunds.append(body["amount"])
        if self.lost:
            self.lost = False
            raise httpx2.ReadError("cut")
        return httpx2.Response(201, json={kind: {"id": self.keys[key]}})

    def hooks(self) -> Any:
        client = httpx2.Client(transport=httpx2.MockTransport(self.handle), base_url="https://gocardless.example")
        return load("gocardless").GoCardlessPayments("token", client)


def test_gocardless_collects_once_after_a_lost_answer_and_pays_back() -> None:
    gocardless = GoCardless()
    hooks = gocardless.hooks()
    id_ = hooks.authorise(charge("authorise"))
    assert (id_, gocardless.payments) == ("p-1", {})
    gocardless.lost = True
    with pytest.raises(TemporaryPaymentError):
        hooks.capture(charge("capture", id_))
    hooks.capture(charge("capture", id_))
    assert [payment["amount"] for payment in gocardless.payments.values()] == [1200]
    hooks.refund(charge("refund-0", id_, "4.50"))
    hooks.refund(charge("refund-0", id_, "4.50"))
    hooks.refund(charge("refund-4.50", id_, "7.50"))
    assert gocardless.refunds == [450, 750]


def test_gocardless_declines_a_mandate_that_cannot_be_charged() -> None:
    gocardless = GoCardless()
    with pytest.raises(DeclinedError, match="cancelled"):
        gocardless.hooks().authorise(charge("authorise", reference="bad"))
    gocardless.hooks().void(charge("void", reference="bad"))
    assert gocardless.payments == {}
