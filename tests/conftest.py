"""Fixtures for all tests, the options of pytest, and a check of the requirement ids that tests name."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from openbooking.testing.postgres import PostgresServer
from support.identity_provider import HASHER
from support.requirements_catalogue import requirement_ids
from support.validators import Validator, running_validator

# The time of an example depends on the machine.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the length of races, the size of feeds and histories, and the number of mutated requests."""
    parser.addoption(
        "--fire",
        type=float,
        default=5,
        metavar="SECONDS",
        help="how long tests/races send requests, and how often processes race for a store",
    )
    parser.addoption("--hostile", type=int, default=4_000, metavar="ITEMS", help="the size of tests/harvest's feed")
    parser.addoption("--updates", type=int, default=60, metavar="UPDATES", help="how long a history of imports is")
    parser.addoption(
        "--requests", type=int, default=2_000, metavar="REQUESTS", help="how many requests tests/fuzz sends"
    )
    parser.addoption("--seed", type=int, default=1, metavar="SEED", help="the random seed of tests/fuzz")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a requirement id that the catalogue does not define."""
    named = {(item.nodeid, id_) for item in items for mark in item.iter_markers("spec") for id_ in mark.args}
    unknown = sorted((nodeid, id_) for nodeid, id_ in named if id_ not in requirement_ids())
    if unknown:
        message = "\n".join(f"{nodeid} names {id_}, which is not the id of a requirement" for nodeid, id_ in unknown)
        raise pytest.UsageError(message)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Restore the configuration of logging, which commands change when they run in the process of the tests."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with a fast hasher. tests/identity tests the real hasher."""
    monkeypatch.setattr("openbooking.identity.sign_in.passwords.PasswordHasher", lambda: HASHER)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Return the name of the event loop of all asynchronous tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def validator() -> Validator:
    """Return OpenActive's validators, which are started once in each test process."""
    return running_validator()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Yield a PostgreSQL server, which is started once in each test process."""
    with PostgresServer() as running:
        yield running
