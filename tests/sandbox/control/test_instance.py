"""The clock of the sandbox, and its return to the start state."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from openbooking.sandbox.client import Sandbox
from support.sandbox_broker import ORDERS, SandboxBroker, new_uuid


def test_a_turn_of_the_clock_ends_leases_at_once(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    quote = broker.c2(new_uuid()).json()
    assert _left(openbooking_sandbox, broker) == 39
    expires = datetime.fromisoformat(quote["lease"]["leaseExpires"])
    now = datetime.fromisoformat(openbooking_sandbox.state()["clock"])
    openbooking_sandbox.turn_clock(seconds=(expires - now).total_seconds() + 1)
    assert _left(openbooking_sandbox, broker) == 40


def test_a_turn_of_the_clock_publishes_new_days_and_removes_what_is_over(
    openbooking_sandbox: Sandbox, broker: SandboxBroker
) -> None:
    before = _starts(openbooking_sandbox, broker)
    openbooking_sandbox.turn_clock(days=3)
    after = _starts(openbooking_sandbox, broker)
    assert max(after) > max(before)
    assert min(after) > min(before)
    assert openbooking_sandbox.state()["turned_seconds"] == timedelta(days=3).total_seconds()


def test_a_reset_returns_to_the_start(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    start = openbooking_sandbox.state()
    order = broker.book()
    openbooking_sandbox.cancel(order)
    openbooking_sandbox.turn_clock(hours=5)
    openbooking_sandbox.faults("503", operation=["B"])
    openbooking_sandbox.act("notify", notice="Late.", after_seconds=60)
    assert broker.feed(ORDERS)
    openbooking_sandbox.revoke()
    openbooking_sandbox.reset()
    state = openbooking_sandbox.state()
    assert {**state, "clock": ""} == {**start, "clock": ""}
    assert openbooking_sandbox.exchanges() == openbooking_sandbox.orders() == []
    assert broker.feed(ORDERS) == []
    assert broker.book() != order


def test_requests_during_resets_are_answered(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(lambda: [broker.client.get(ORDERS).status_code for _ in range(60)])
        for _ in range(3):
            openbooking_sandbox.reset()
        assert set(reading.result()) == {200}


def _left(sandbox: Sandbox, broker: SandboxBroker) -> int:
    found = broker.read_feed(f"{sandbox.url}/feeds/scheduled-sessions")
    (session,) = [item for item in found if item["@id"] == broker.session.opportunity]
    left = session["remainingAttendeeCapacity"]
    assert isinstance(left, int)
    return left


def _starts(sandbox: Sandbox, broker: SandboxBroker) -> list[str]:
    return [item["startDate"] for item in broker.read_feed(f"{sandbox.url}/feeds/scheduled-sessions")]
