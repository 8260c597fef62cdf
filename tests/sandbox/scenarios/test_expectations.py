"""What happened in a scenario is compared with what was expected."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.control.actions import CancelItems
from openbooking.sandbox.control.doing import NO_SUBJECT, Doing
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.scenarios.expectations import Outcome, unmet
from openbooking.sandbox.scenarios.scenario import Expectations

NOW = datetime(2027, 3, 1, tzinfo=UTC)
READ = Exchange(number=1, at=NOW, began=100, operation=Operation.ORDERS_FEED, method="GET", path="/", status=200)
BOOKED = replace(READ, operation=Operation.B, status=201)
CANCELLED = Doing(action=CancelItems(), subject=NO_SUBJECT, due=NOW, done="cancel: demo/1", began=70)


def told(outcome: Outcome, **expected: Any) -> list[str]:
    return list(unmet(Expectations(**expected), outcome))


def outcome(*exchanges: Exchange, doings: tuple[Doing, ...] = (), remarks: tuple[Remark, ...] = ()) -> Outcome:
    return Outcome(exchanges, (), remarks, doings)


def test_nothing_is_expected_of_an_empty_scenario() -> None:
    assert told(outcome()) == []


@pytest.mark.parametrize("name", ["orders", "confirmed_items", "cancelled_items", "deleted"])
def test_a_number_is_compared(name: str) -> None:
    assert told(outcome(), **{name: 0}) == []
    assert told(outcome(), **{name: 2}) == [f"{name} is 0, and 2 was expected"]


def test_successful_answers_are_counted() -> None:
    refused = replace(BOOKED, status=409)
    assert told(outcome(BOOKED, refused, READ), answers={Operation.B: 1}) == []
    assert told(outcome(BOOKED), answers={Operation.B: 2}) == ["answers.B is 1, and 2 was expected"]


def test_the_orders_feed_is_expected_after_each_action() -> None:
    assert told(outcome(READ, doings=(CANCELLED,)), orders_feed_within=60) == []
    assert told(outcome(doings=(CANCELLED,)), orders_feed_within=60) == [
        "the Orders feed was not read after the action cancel: demo/1 (OB-BRK-07)"
    ]
    late = replace(READ, began=140)
    assert told(outcome(late, doings=(CANCELLED,)), orders_feed_within=60) == [
        "the Orders feed was read only 70 seconds after the action cancel: demo/1 (OB-BRK-07)"
    ]
    before = replace(READ, began=60)
    assert len(told(outcome(before, doings=(CANCELLED,)), orders_feed_within=60)) == 1


def test_an_action_that_was_refused_or_waits_is_told() -> None:
    refused = replace(CANCELLED, done="", refused="The Order is not known.")
    waiting = replace(CANCELLED, done="")
    assert told(outcome(doings=(refused, waiting))) == [
        "the action cancel was refused: The Order is not known.",
        "the action cancel was not due before the command ended",
    ]


def test_advice_is_compared_without_explanations_of_errors() -> None:
    broken, explained = Remark("OB-BRK-01", "Twice.", 4), Remark("E-08", "The price.", 5, is_error=True)
    found = outcome(remarks=(broken, explained))
    assert told(found) == []
    assert told(found, advice=frozenset()) == ["OB-BRK-01 is broken by request 4: Twice."]
    assert told(found, advice=frozenset({"OB-BRK-01"})) == []
    assert told(outcome(), advice=frozenset({"OB-BRK-01"})) == ["OB-BRK-01 is kept, and was expected to be broken"]
