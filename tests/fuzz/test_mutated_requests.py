"""No mistake in a request to any endpoint is answered with 500. `make fuzz` sends 200,000 requests."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
import structlog

from openbooking.openactive.errors import request_error_names_with_500
from openbooking.testing.postgres import PostgresServer
from support.fuzz.mutations import mutated
from support.fuzz.requests import Asking
from support.http_system import open_world

pytestmark = pytest.mark.anyio

_log = structlog.get_logger()
_BETWEEN_SIGN_INS = 500
# The numbers of changes of a request, by frequency.
_CHANGES = (0, 1, 1, 1, 1, 2, 2, 3)
# The least share of requests that must lead to a decision. Otherwise only the first checks would be tested.
_DECIDED = 0.1


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> dict[str, str]:
    """The kind of store, and its database."""
    if request.param == "sqlite":
        return {"store_kind": request.param}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"store_kind": request.param, "database": server.new_database()}


@pytest.mark.spec("OB-VAL-48", "OB-ERR-01")
@pytest.mark.no_cover
@pytest.mark.usefixtures("quick_passwords")
async def test_no_mistake_of_a_sender_is_answered_with_500(
    request: pytest.FixtureRequest, where: dict[str, str], tmp_path: Path
) -> None:
    """A request without a response, or an exception of the application, also fails the test."""
    requests, seed = request.config.getoption("--requests"), request.config.getoption("--seed")
    chance, counted, decided = Random(seed), Counter[tuple[str, int]](), 0  # noqa: S311 - a run is repeated as it was
    allowed = request_error_names_with_500()
    unexplained: list[object] = []
    async with open_world(folder=tmp_path, access="openid", test_interface=True, **where) as world:
        world.judged = False
        asking = Asking(world, chance)
        await asking.prepare()
        for number in range(requests):
            if number and number % _BETWEEN_SIGN_INS == 0:
                world.pass_time(minutes=1)
                await asking.sign_in()
            asked = await asking.request()
            for _ in range(chance.choice(_CHANGES)):
                asked = mutated(asked, chance)
            answer = await asking.send(asked)
            counted[asked.endpoint, answer.status] += 1
            decided += answer.decided
            if answer.status >= 500 and answer.error not in allowed:
                unexplained.append((number, asked, answer))
        assert asking.routes() <= asking.reached
    _log.info("fuzz", store=where["store_kind"], requests=requests, decided=decided)
    for (endpoint, status), number in sorted(counted.items()):
        _log.info("fuzz.answers", endpoint=endpoint, status=status, number=number)
    assert unexplained == []
    assert decided >= _DECIDED * requests
