"""The control page of the sandbox: its forms, and what it shows."""

import re

import httpx2
import pytest

from openbooking.sandbox.client import Sandbox
from support.sandbox_broker import SandboxBroker, new_uuid


def page_of(sandbox: Sandbox, path: str = "") -> httpx2.Response:
    return httpx2.get(f"{sandbox.url}/sandbox{path}")


def send(sandbox: Sandbox, form: str, **fields: str) -> httpx2.Response:
    found = re.search(r'name="form_token" value="([^"]+)"', page_of(sandbox).text)
    assert found
    data = {"form_token": found[1], **fields}
    return httpx2.post(f"{sandbox.url}/sandbox/{form}", data=data, follow_redirects=True)


def test_the_page_forbids_scripts_and_caches(openbooking_sandbox: Sandbox) -> None:
    headers = page_of(openbooking_sandbox).raise_for_status().headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["cache-control"] == "no-store"


def test_a_fault_is_planned_and_forgotten(openbooking_sandbox: Sandbox) -> None:
    shown = send(openbooking_sandbox, "faults", kind="429", operation="B", next="3", retry_after="2")
    assert "The fault is planned: the request is answered with 429 and has no effect." in shown.text
    assert openbooking_sandbox.state()["faults"] == [{"kind": "429", "next": 3, "operation": ["B"], "retry_after": 2}]
    assert "No faults are planned any more." in send(openbooking_sandbox, "forget-faults").text
    assert openbooking_sandbox.state()["faults"] == []
    assert "No faults are planned any more." not in page_of(openbooking_sandbox).text


def test_the_clock_is_turned(openbooking_sandbox: Sandbox) -> None:
    assert "The clock was turned." in send(openbooking_sandbox, "clock", hours="1", minutes="30").text
    assert openbooking_sandbox.state()["turned_seconds"] == 5_400


def test_the_seller_acts_now_and_later(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order, version = broker.propose()
    amended = send(openbooking_sandbox, "actions", do="amend", price="39.50", text="A discount.")
    assert f"amend: demo/{order}" in amended.text
    (seen,) = broker.feed("order-proposals-rpde")
    assert seen["orderProposalVersion"] != version
    assert (seen["totalPaymentDue"]["price"], seen["orderSellerNote"]) == (39.5, "A discount.")
    later = send(openbooking_sandbox, "actions", do="accept", after_seconds="600")
    assert "It will be done at" in later.text
    assert "Actions that wait" in later.text


def test_the_sandbox_is_reset(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    assert "as it was at its start" in send(openbooking_sandbox, "reset").text
    assert openbooking_sandbox.orders() == []


@pytest.mark.parametrize(
    ("form", "fields", "wrong"),
    [
        ("actions", {}, "actions-do"),
        ("actions", {"do": "notify"}, ""),
        ("actions", {"do": "cancel"}, ""),
        ("actions", {"do": "accept", "after_seconds": "soon"}, "actions-after_seconds"),
        ("faults", {"kind": "503", "share": "2"}, "faults-share"),
        ("clock", {"days": "400"}, "clock-days"),
    ],
)
def test_a_wrong_field_is_shown_with_what_was_typed(
    openbooking_sandbox: Sandbox, form: str, fields: dict[str, str], wrong: str
) -> None:
    shown = send(openbooking_sandbox, form, **fields)
    assert shown.status_code == 422
    assert "<title>Error: Sandbox" in shown.text
    if wrong:
        assert f'id="{wrong}-wrong"' in shown.text
    assert all(f'value="{value}"' in shown.text for value in fields.values())


def test_a_form_of_another_site_is_refused(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    answer = httpx2.post(f"{openbooking_sandbox.url}/sandbox/reset", data={"form_token": "guessed"})
    assert answer.status_code == 403
    assert httpx2.post(f"{openbooking_sandbox.url}/sandbox/reset", json={}).status_code == 400
    assert len(openbooking_sandbox.orders()) == 1


def test_a_request_is_shown_with_what_was_wrong(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.b(new_uuid(), customer={"@type": "<script>alert(1)</script>"})
    number = openbooking_sandbox.exchanges("B")[0]["number"]
    for shown in (page_of(openbooking_sandbox), page_of(openbooking_sandbox, f"/requests/{number}")):
        assert "E-02: IncompleteCustomerDetailsError" in shown.text
        assert "<script>" not in shown.text
    assert "&lt;script&gt;alert(1)" in shown.text
    assert page_of(openbooking_sandbox, "/requests/999").status_code == 404
