"""Every action of the simulated Seller, as the Broker sees it in its feeds."""

from contextlib import closing
from typing import Any

import httpx2
import pytest

from openbooking.sandbox.client import Sandbox, SandboxError
from support.sandbox_broker import ORDERS, PROPOSALS, SandboxBroker, new_uuid

ACCEPTED = "https://openactive.io/SellerAccepted"


def status_of(order: dict[str, Any]) -> str:
    (item,) = order["orderedItem"]
    return str(item["orderItemStatus"]).rpartition("/")[2]


def test_cancel_is_seen_in_the_orders_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    assert broker.feed(ORDERS) == []
    openbooking_sandbox.cancel(order, items=[1], message="The instructor is ill.")
    (seen,) = broker.feed(ORDERS)
    assert status_of(seen) == "SellerCancelled"
    assert seen["orderedItem"][0]["cancellationMessage"] == "The instructor is ill."


def test_notify_is_seen_in_the_orders_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    openbooking_sandbox.notify("Bring a towel.")
    (seen,) = broker.feed(ORDERS)
    assert seen["orderedItem"][0]["customerNotice"] == "Bring a towel."


def test_attend_is_seen_in_the_orders_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    openbooking_sandbox.act("attend", attended=False)
    assert status_of(broker.feed(ORDERS)[0]) == "AttendeeAbsent"


def test_replace_is_seen_in_the_orders_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    openbooking_sandbox.replace(f"{broker.client.base_url}orders/{order}")
    (seen,) = broker.feed(ORDERS)
    assert seen["orderedItem"][0]["orderedItem"] != broker.session.opportunity


def test_move_is_seen_in_both_feeds(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    before = next(item for item in open_sessions(openbooking_sandbox, broker))
    openbooking_sandbox.move(minutes=90)
    openbooking_sandbox.move(broker.session.opportunity, place="Pool 2")
    after = next(item for item in open_sessions(openbooking_sandbox, broker))
    assert after["startDate"] != before["startDate"]
    (seen,) = broker.feed(ORDERS)
    assert seen["orderedItem"][0]["orderedItem"]["startDate"] == after["startDate"]


def test_cancel_opportunity_is_seen_in_both_feeds(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.book()
    openbooking_sandbox.act("cancel-opportunity", message="The pool is closed.")
    assert status_of(broker.feed(ORDERS)[0]) == "SellerCancelled"
    assert open_sessions(openbooking_sandbox, broker)[0]["eventStatus"] == "https://schema.org/EventCancelled"


def test_sell_out_leaves_no_spaces(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = new_uuid()
    broker.c1(order).raise_for_status()
    openbooking_sandbox.sell_out()
    assert open_sessions(openbooking_sandbox, broker)[0]["remainingAttendeeCapacity"] == 0
    refused = broker.c2(order)
    assert refused.status_code == 409
    assert refused.json()["orderedItem"][0]["error"][0]["@type"] == "OpportunityIsFullError"
    assert openbooking_sandbox.orders() == []
    with pytest.raises(SandboxError, match="no spaces left"):
        openbooking_sandbox.sell_out()


def test_unpublish_takes_an_opportunity_off_sale_until_it_is_published(
    openbooking_sandbox: Sandbox, broker: SandboxBroker
) -> None:
    broker.c1(new_uuid()).raise_for_status()
    openbooking_sandbox.act("unpublish")
    assert open_sessions(openbooking_sandbox, broker) == []
    openbooking_sandbox.act("publish", opportunity=broker.session.opportunity)
    assert len(open_sessions(openbooking_sandbox, broker)) == 1


def test_revoke_ends_the_access_until_it_is_allowed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    openbooking_sandbox.cancel(order)
    openbooking_sandbox.revoke()
    assert broker.feed(ORDERS) == []
    assert broker.c1(new_uuid()).json()["@type"] == "InvalidAuthorizationDetailsError"
    openbooking_sandbox.act("allow")
    assert len(broker.feed(ORDERS)) == 1
    openbooking_sandbox.act("suspend")
    assert broker.c1(new_uuid()).status_code == 401
    assert len(broker.feed(ORDERS)) == 1


def test_a_new_key_replaces_the_old_one(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    done = openbooking_sandbox.act("new-key")["done"]
    assert broker.c1(new_uuid()).json()["@type"] == "InvalidAPITokenError"
    with closing(SandboxBroker(openbooking_sandbox, done.rpartition(" ")[2])) as renewed:
        renewed.book()
    assert [each["broker"] for each in openbooking_sandbox.exchanges("B")] == ["demo"]
    key = done.rpartition(" ")[2]
    assert openbooking_sandbox.state()["keys"]["demo"] == key
    assert f"<code>{key}</code>" in httpx2.get(f"{openbooking_sandbox.url}/sandbox").text
    openbooking_sandbox.reset()
    assert f"<code>{openbooking_sandbox.api_key}</code>" in httpx2.get(f"{openbooking_sandbox.url}/sandbox").text


def test_renew_access_needs_an_order(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    with pytest.raises(SandboxError, match="No Broker has booked"):
        openbooking_sandbox.act("renew-access")
    broker.book()
    assert openbooking_sandbox.act("renew-access")["done"].startswith("renew-access: demo/")


def test_accept_is_seen_in_the_proposals_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order, version = broker.propose()
    openbooking_sandbox.accept(order, note="Welcome.")
    (seen,) = broker.feed(PROPOSALS)
    assert (seen["orderProposalStatus"], seen["orderProposalVersion"]) == (ACCEPTED, version)
    assert broker.book_proposal(order, version).status_code == 201


def test_reject_is_seen_in_the_proposals_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.propose()
    openbooking_sandbox.reject(note="The course is for beginners.")
    (seen,) = broker.feed(PROPOSALS)
    assert seen["orderProposalStatus"] == "https://openactive.io/SellerRejected"
    assert seen["orderSellerNote"] == "The course is for beginners."


def test_amend_is_seen_in_the_proposals_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order, version = broker.propose()
    openbooking_sandbox.amend(order, prices={"1": "35.00"})
    (seen,) = broker.feed(PROPOSALS)
    assert seen["orderProposalVersion"] != version
    assert seen["totalPaymentDue"]["price"] == 35
    openbooking_sandbox.accept(order)
    outdated = broker.book_proposal(order, version)
    assert outdated.json()["@type"] == "OrderProposalVersionOutdatedError"


def test_write_is_seen_in_the_proposals_feed(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.propose()
    openbooking_sandbox.act("write", note="Which level are you?")
    (seen,) = broker.feed(PROPOSALS)
    assert seen["orderSellerNote"] == "Which level are you?"


def test_a_late_acceptance_waits_for_the_clock(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.propose()
    openbooking_sandbox.accept(after_seconds=3600)
    assert broker.feed(PROPOSALS) == []
    assert [each["do"] for each in openbooking_sandbox.state()["waiting"]] == ["accept"]
    openbooking_sandbox.turn_clock(minutes=50)
    assert broker.feed(PROPOSALS) == []
    openbooking_sandbox.turn_clock(minutes=11)
    assert broker.feed(PROPOSALS)[0]["orderProposalStatus"] == ACCEPTED
    assert openbooking_sandbox.state()["waiting"] == []


def test_an_acceptance_in_a_moment_needs_no_turn(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    broker.propose()
    openbooking_sandbox.accept(after_seconds=0.1)
    while not (seen := broker.feed(PROPOSALS)):
        pass
    assert seen[0]["orderProposalStatus"] == ACCEPTED


def test_an_action_that_the_system_refuses_says_why(openbooking_sandbox: Sandbox, broker: SandboxBroker) -> None:
    order = broker.book()
    with pytest.raises(SandboxError, match="no such item"):
        openbooking_sandbox.cancel(order, items=[7])
    with pytest.raises(SandboxError, match="not known"):
        openbooking_sandbox.cancel(new_uuid())
    with pytest.raises(SandboxError, match="no UUID"):
        openbooking_sandbox.cancel("the last one")
    with pytest.raises(SandboxError, match="no Booking Partner"):
        openbooking_sandbox.revoke("nobody")
    with pytest.raises(SandboxError, match="names no Opportunity"):
        openbooking_sandbox.sell_out("that one")
    assert broker.feed(ORDERS) == []


def open_sessions(sandbox: Sandbox, broker: SandboxBroker) -> list[dict[str, Any]]:
    """Return the session of the Broker in the open feed, or nothing if it is not published."""
    found = broker.read_feed(f"{sandbox.url}/feeds/scheduled-sessions")
    return [item for item in found if item["@id"] == broker.session.opportunity]
