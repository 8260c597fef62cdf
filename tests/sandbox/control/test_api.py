"""The JSON API of the sandbox: what it tells, and what it refuses."""

import json

import httpx2
import pytest

from openbooking.sandbox.client import Sandbox, SandboxError
from support.sandbox_broker import SandboxBroker, new_uuid


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("actions", {"do": "dance"}, "do"),
        ("actions", {"do": "cancel", "order": 7}, "order"),
        ("actions", {"do": "cancel", "reason": "x"}, "reason"),
        ("actions", {"do": "notify"}, "notice"),
        ("actions", {"do": "accept", "after_seconds": -1}, "after_seconds"),
        ("clock", {"hours": "soon"}, "hours"),
        ("clock", {"weeks": 1}, "weeks"),
        ("clock", {"days": 401}, "days"),
        ("faults", {"kind": "503", "next": "many"}, "next"),
        ("faults", {}, "kind"),
        ("faults", [], ""),
    ],
)
def test_a_wrong_value_is_answered_with_its_field(
    openbooking_sandbox: Sandbox, path: str, body: object, field: str
) -> None:
    answer = httpx2.post(f"{openbooking_sandbox.url}/sandbox/api/{path}", json=body)
    assert answer.status_code == 400
    told = answer.json()
    assert told["error"]
    assert told.get("field", "") == field


def test_a_body_that_is_no_json_is_refused(openbooking_sandbox: Sandbox) -> None:
    headers = {"Content-Type": "application/json"}
    answer = httpx2.post(f"{openbooking_sandbox.url}/sandbox/api/faults", content=b"{", headers=headers)
    assert answer.status_code == 400


def test_plans_are_deleted_without_a_content_type(openbooking_sandbox: Sandbox) -> None:
    openbooking_sandbox.faults("500", operation=["B"])
    answer = httpx2.delete(f"{openbooking_sandbox.url}/sandbox/api/faults")
    assert (answer.status_code, answer.json()) == (200, {"faults": []})


def test_a_form_of_another_site_is_refused(openbooking_sandbox: Sandbox) -> None:
    answer = httpx2.post(f"{openbooking_sandbox.url}/sandbox/api/reset", data={"x": "y"})
    assert answer.status_code == 415


def test_a_request_is_kept_with_its_bodies_and_what_was_wrong(
    openbooking_sandbox: Sandbox, broker: SandboxBroker
) -> None:
    order = new_uuid()
    broker.b(order, customer={"@type": "Person"})
    (kept,) = openbooking_sandbox.exchanges("B")
    assert (kept["method"], kept["status"], kept["broker"], kept["uuid"]) == ("PUT", 400, "demo", order)
    assert json.loads(kept["body"])["customer"] == {"@type": "Person"}
    assert json.loads(kept["answer"])["@type"] == "IncompleteCustomerDetailsError"
    assert {remark["requirement"] for remark in kept["wrong"]} == {"E-02", "OB-C2-03"}
    assert "authorization" not in kept["headers"]
    assert openbooking_sandbox.api_key not in json.dumps(kept)
    alone = httpx2.get(f"{openbooking_sandbox.url}/sandbox/api/requests/{kept['number']}").json()
    assert alone == kept


def test_the_last_requests_come_first(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    assert [each["operation"] for each in openbooking_sandbox.exchanges(last=2)] == ["B", "C2"]
    with pytest.raises(SandboxError, match="last"):
        openbooking_sandbox._get("/requests", last="x")


@pytest.mark.parametrize("last", ["9" * 5_000, "-1", "all"])
def test_a_wrong_number_of_requests_is_refused(openbooking_sandbox: Sandbox, last: str) -> None:
    assert httpx2.get(f"{openbooking_sandbox.url}/sandbox/api/requests?last={last}").status_code == 400


def test_a_request_that_is_not_kept_is_not_found(openbooking_sandbox: Sandbox) -> None:
    assert httpx2.get(f"{openbooking_sandbox.url}/sandbox/api/requests/99").status_code == 404


def test_orders_show_the_statuses_of_their_items(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    openbooking_sandbox.cancel()
    items = [{"number": 1, "status": "SellerCancelled"}]
    assert openbooking_sandbox.orders() == [{"uuid": order, "seller": "riverbank-trust", "items": items}]
