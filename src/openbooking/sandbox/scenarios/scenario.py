"""The format of scenario files, which are TOML (`Scenario`)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from openbooking.sandbox.control.actions import AnyAction
from openbooking.sandbox.control.reading import InvalidInputError, Turn, read_values
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import FaultPlan
from openbooking.user_error import UserError

_Number = Annotated[int, Meta(ge=0)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens after a request of the Broker, before the Broker receives its answer.

    Attributes:
        after: The operation of the request; None for the start, before the Broker runs.
        count: The how manieth successful request of this operation it is.
        action: An action of the Seller. Without an Order or Opportunity it is about those of the request.
        turn_clock: By how much the clock is turned.
        fault: A plan of faults, which begins with the next request.
    """

    after: Operation | None = None
    count: Annotated[int, Meta(ge=1)] = 1
    action: AnyAction | None = None
    turn_clock: Turn | None = None
    fault: FaultPlan | None = None


class Expectations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is expected when the command of the Broker has ended; None for no expectation.

    Attributes:
        orders: The number of Orders of the Broker that exist.
        confirmed_items: The number of their items that are confirmed.
        cancelled_items: The number of their items that the Customer or the Seller cancelled.
        deleted: The number of Orders that the Broker deleted.
        answers: The numbers of successful requests, by operation, whether their answers arrived or not.
        orders_feed_within: The seconds within which the Orders feed was read after each action of the Seller.
        advice: The ids of the requirements that the Broker may break, and does break.
    """

    orders: _Number | None = None
    confirmed_items: _Number | None = None
    cancelled_items: _Number | None = None
    deleted: _Number | None = None
    answers: Mapping[Operation, _Number] = {}
    orders_feed_within: Annotated[float, Meta(gt=0)] | None = None
    advice: frozenset[str] | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario.

    Attributes:
        name: The name that reports show.
        rules: What happens.
        expect: What is expected.
    """

    name: str
    rules: tuple[Rule, ...] = msgspec.field(default=(), name="rule")
    expect: Expectations = Expectations()


class ScenarioError(UserError):
    """A scenario file cannot be read."""


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        ScenarioError: The file does not exist, is no TOML, or has a wrong value.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        scenario: Scenario = read_values({"name": path.stem, **values}, Scenario)
    except OSError as fault:
        raise ScenarioError(f"{path} cannot be read: {fault.strerror}.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ScenarioError(f"{path} is no TOML: {fault}.") from fault
    except InvalidInputError as fault:
        raise ScenarioError(f"{path}: {fault.text}.") from fault
    return scenario
