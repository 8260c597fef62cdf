"""schemathesis sends random requests that the OpenAPI document describes, and checks the responses against it.

`make test` sends a few requests to each operation, `make contract` hundreds. Valid and invalid requests are sent.
"""

import asyncio
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.openactive.errors import request_error_names_with_500
from openbooking.settings import AccessMode, Settings
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.memory import MemoryStore
from openbooking.system import make_feed_writer
from openbooking.testing.samples import Clock
from openbooking.web.app import Application, create_app
from support.approval_flow import TRIP
from support.http_system import COURT, EVENTS, SITE, YOGA
from support.identity_provider import grant, partner, signing_key, users
from support.parties import ALICE, CENTRE, MANAGER, STUDIO

# The specification answers these mistakes of Brokers with the status 500 (OB 10.2.2).
REFUSED_WITH_500 = {
    "OrderAlreadyExistsError",
    "OrderCreationFailedError",
    "OrderItemIdInvalidError",
    "OrderItemNotWithinOrderError",
    "OrderProposalVersionOutdatedError",
    "SellerMismatchError",
    "SellerNotFoundError",
    "UnexpectedOrderTypeError",
}
# A request that fits its schema may still be refused, for example because an Order has no Customer.
EXCLUDED = [positive_data_acceptance]
TOKENS = {"GET /metrics": "metrics"}


async def stocked(access: AccessMode) -> Application:
    """Return a Booking System with everything turned on, on a store with something to book."""
    clock = Clock()
    settings = Settings(
        site_url=SITE, access=access, test_interface=True, metrics_token="metrics", requests_per_minute=1_000_000
    )
    store = MemoryStore(policy=settings.policy, writer=make_feed_writer(settings), clock=clock)
    identity = MemoryIdentityStore(store.activity)
    for seller in (CENTRE, STUDIO):
        await store.execute(PublishSeller(seller, actor=MANAGER))
    for family in (YOGA, COURT, TRIP, *EVENTS):
        await store.execute(Publish(tuple(family), actor=MANAGER))
    await identity.save(partner(ALICE.partner), grant(ALICE.partner, CENTRE.key, NO_TERMS))
    await identity.save(signing_key(), *users())
    return create_app(settings, clock, store, identity)


def faults_of(case: Any, label: str) -> list[str]:
    """Send a request, and return the faults of the response, without the refusals that have the status 500."""
    response = case.call(headers={"Authorization": f"Bearer {TOKENS.get(label, 'obk_alice')}"})
    try:
        case.validate_response(response, excluded_checks=EXCLUDED)
    except FailureGroup as group:
        failures: list[Failure] = list(group.exceptions)
    except Failure as failure:
        failures = [failure]
    else:
        return []
    if response.status_code == 500 and response.json()["@type"] in REFUSED_WITH_500:
        failures = [each for each in failures if type(each).__name__ != "ServerError"]
    return [f"{label}: {each}: {response.text[:300]}: {case.as_curl_command()[:500]}" for each in failures]


@pytest.mark.no_cover
@pytest.mark.parametrize("access", [AccessMode.OPENID])
def test_responses_are_those_of_the_document(request: pytest.FixtureRequest, access: AccessMode) -> None:
    examples = int(request.config.getoption("--examples"))
    schema = schemathesis.openapi.from_asgi("/openapi.json", asyncio.run(stocked(access)))
    found: list[str] = []
    sent = set[str]()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        for mode in GenerationMode:
            sent |= try_operation(operation, mode, examples, found)
    assert found == []
    assert len(sent) == schema.statistic.operations.total


def try_operation(operation: Any, mode: GenerationMode, examples: int, found: list[str]) -> set[str]:
    """Send requests to one operation, and add the faults; return the operation if requests were sent."""
    sent = set[str]()

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        sent.add(operation.label)
        found.extend(faults_of(case, operation.label))

    try:
        send()
    except Unsatisfiable:
        # An operation without parameters has no invalid requests.
        assert mode is GenerationMode.NEGATIVE
    return sent


def test_classes_with_500_are_those_of_the_specification() -> None:
    assert request_error_names_with_500() == REFUSED_WITH_500
