"""Every fault of the sandbox, as a client meets it at a real socket."""

import time

import httpx2
import pytest

from openbooking.sandbox.client import Sandbox, SandboxError
from support.sandbox_broker import ORDERS, SandboxBroker, new_uuid

QUICK = 0.2


@pytest.mark.parametrize(
    ("send", "error"),
    [
        ("c1", "TemporarilyUnableToProduceOrderQuoteError"),
        ("b", "TemporarilyUnableToCreateOrderError"),
    ],
)
def test_503_is_answered_with_the_error_of_the_operation(
    openbooking_sandbox: Sandbox, broker: SandboxBroker, send: str, error: str
) -> None:
    openbooking_sandbox.faults("503", operation=["C1", "B"], retry_after=3)
    broker.session  # noqa: B018 - reads the feeds, which meet no fault
    answer = getattr(broker, send)(new_uuid())
    assert answer.status_code == 503
    assert answer.json()["@type"] == error
    assert answer.headers["retry-after"] == "3"
    assert openbooking_sandbox.orders() == []


def test_429_has_no_effect_and_names_the_pause(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("429", operation=["B"], next=2)
    order = new_uuid()
    broker.c2(order).raise_for_status()
    answers = [broker.b(order) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].headers["retry-after"] == "5"
    assert answers[0].json()["@type"] == "TooManyRequestsError"


@pytest.mark.spec("OB-BRK-02")
def test_500_leaves_an_order_that_the_broker_deletes(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("500", operation=["B"])
    order = new_uuid()
    broker.c2(order).raise_for_status()
    answer = broker.b(order)
    assert (answer.status_code, answer.json()["@type"]) == (500, "InternalApplicationError")
    assert [found["uuid"] for found in openbooking_sandbox.orders()] == [order]


def test_silence_delays_the_answer_after_the_commit(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("silence", operation=["B"], seconds=30)
    order = new_uuid()
    broker.c2(order).raise_for_status()
    broker.client.timeout = httpx2.Timeout(QUICK)
    with pytest.raises(httpx2.ReadTimeout):
        broker.b(order)
    # On a busy machine the client may give up before the commit.
    while not (found := openbooking_sandbox.orders()):
        time.sleep(0.01)
    assert [kept["uuid"] for kept in found] == [order]
    broker.client.timeout = httpx2.Timeout(10)
    assert broker.b(order).status_code == 201


def test_a_short_silence_ends_with_the_answer(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.session  # noqa: B018 - reads the feeds, which meet no fault
    openbooking_sandbox.faults("silence", seconds=QUICK)
    began = time.monotonic()
    assert broker.c1(new_uuid()).status_code == 200
    assert time.monotonic() - began >= QUICK


def test_a_lost_answer_leaves_an_order_and_its_repeat_returns_it(
    openbooking_sandbox: Sandbox, broker: SandboxBroker
) -> None:
    openbooking_sandbox.faults("lost", operation=["B"])
    order = new_uuid()
    broker.c2(order).raise_for_status()
    with pytest.raises(httpx2.RemoteProtocolError):
        broker.b(order)
    assert [found["uuid"] for found in openbooking_sandbox.orders()] == [order]
    assert broker.b(order).status_code == 201
    lost, repeated = reversed(openbooking_sandbox.exchanges("B"))
    assert (lost["status"], lost["arrived"], lost["fault"]) == (201, False, "lost")
    assert (repeated["status"], repeated["arrived"]) == (201, True)
    assert repeated["answer"] == lost["answer"]


def test_a_cut_answer_ends_in_its_body(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("cut", operation=["B"])
    order = new_uuid()
    broker.c2(order).raise_for_status()
    received = b""
    with broker.client.stream("PUT", f"orders/{order}", json=broker.body_of_b()) as answer:
        assert answer.status_code == 201
        parts = answer.iter_raw()
        with pytest.raises(httpx2.RemoteProtocolError):  # noqa: PT012 - the parts before the end are received, too
            for part in parts:
                received += part
    whole = broker.b(order).content
    assert received
    assert received == whole[: len(whole) // 2]


def test_a_repeated_page_is_the_page_before(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    first = broker.client.get(f"{openbooking_sandbox.url}/feeds/slots").json()
    openbooking_sandbox.faults("repeated-page")
    repeated = broker.client.get(first["next"]).json()
    assert repeated == first
    second = broker.client.get(first["next"]).json()
    assert second["items"][0]["modified"] > first["items"][-1]["modified"]


def test_a_repeated_page_waits_for_a_page_that_has_one_before_it(
    openbooking_sandbox: Sandbox, broker: SandboxBroker
) -> None:
    openbooking_sandbox.faults("repeated-page", operation=["open-feed"])
    first = broker.client.get(f"{openbooking_sandbox.url}/feeds/slots").json()
    assert len(openbooking_sandbox.state()["faults"]) == 1
    assert broker.client.get(first["next"]).json() == first
    assert openbooking_sandbox.state()["faults"] == []


def test_a_stale_page_is_the_page_before_its_last_change(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    empty = broker.client.get(ORDERS).json()
    assert empty["items"] == []
    openbooking_sandbox.cancel(order)
    openbooking_sandbox.faults("stale-page", operation=["orders-feed"])
    assert broker.client.get(ORDERS).json() == empty
    assert [item["id"] for item in broker.client.get(ORDERS).json()["items"]] == [order]


def test_a_share_of_the_requests_meets_the_fault(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("503", share=0.3, path="/orders-rpde")
    statuses = [broker.client.get(ORDERS).status_code for _ in range(60)]
    assert 8 <= statuses.count(503) <= 30
    openbooking_sandbox.forget_faults()
    assert broker.client.get(ORDERS).status_code == 200


def test_a_plan_can_skip_requests(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    openbooking_sandbox.faults("503", operation=["orders-feed"], skip=1, method="get")
    assert [broker.client.get(ORDERS).status_code for _ in range(3)] == [200, 503, 200]


def test_pages_of_people_meet_no_fault(openbooking_sandbox: Sandbox) -> None:
    openbooking_sandbox.faults("503", next=5)
    answer = httpx2.get(f"{openbooking_sandbox.url}/console", follow_redirects=True)
    assert answer.status_code == 200
    assert openbooking_sandbox.exchanges() == []


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ({"kind": "flood"}, "Invalid enum value"),
        ({"kind": "503", "next": 0}, "next"),
        ({"kind": "503", "share": 2}, "share"),
        ({"kind": "503", "operation": ["Q"]}, "operation"),
        ({"kind": "stale-page", "operation": ["B"]}, "fault of feeds"),
        ({"kind": "503", "often": 2}, "often"),
    ],
)
def test_a_plan_with_a_wrong_value_is_refused(openbooking_sandbox: Sandbox, plan: dict[str, object], text: str) -> None:
    with pytest.raises(SandboxError, match=text):
        openbooking_sandbox._send("POST", "/faults", plan)
    assert openbooking_sandbox.state()["faults"] == []
