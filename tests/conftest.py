"""Fixtures for all tests, and the check that every requirement id in a test exists.

Tests of random data have the mark `no_cover`: measuring coverage makes them twice as slow, and other tests run the same
lines.
"""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from openbooking.sandbox.pytest_plugin import openbooking_sandbox, openbooking_sandbox_process
from openbooking.store import migrate
from openbooking.testing.postgres import PostgresServer
from support.databases.schema_copies import MIGRATE, copy_schema
from support.histories.lengths import register_profiles
from support.identity_provider import HASHER
from support.requirements_catalogue import requirement_ids
from support.servers.demo import Demo, running_demo
from support.validators import Validator, running_validator

__all__ = ["openbooking_sandbox", "openbooking_sandbox_process"]

SHORT_FIRE_SECONDS = 5.0

# How long an example takes depends on the machine, so no profile has a deadline.
register_profiles()
settings.load_profile("short")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for longer runs, which `make fire`, `hostile`, `follow`, `referral`, `fuzz`, `contract`,
    `ledger`, `clocks`, `looks` and `deployment` set."""
    parser.addoption(
        "--fire",
        type=float,
        default=SHORT_FIRE_SECONDS,
        metavar="SECONDS",
        help="how long tests/races send requests, and how often processes race for a store",
    )
    parser.addoption(
        "--hostile", type=int, default=4_000, metavar="ITEMS", help="the number of items of tests/harvest's feed"
    )
    parser.addoption(
        "--updates", type=int, default=15, metavar="UPDATES", help="the number of updates in a history of imports"
    )
    parser.addoption(
        "--followed",
        type=int,
        default=2_000,
        metavar="ITEMS",
        help="the number of items of the feeds that are followed",
    )
    parser.addoption(
        "--requests", type=int, default=2_400, metavar="REQUESTS", help="the number of requests that tests/fuzz sends"
    )
    parser.addoption(
        "--examples",
        type=int,
        default=2,
        metavar="EXAMPLES",
        help="the number of valid and of invalid requests that schemathesis sends to each operation",
    )
    parser.addoption(
        "--bruno", action="store_true", help="run the request collection with Bruno's own command, from tests/bruno"
    )
    parser.addoption(
        "--histories",
        type=int,
        default=100,
        metavar="HISTORIES",
        help="the number of histories whose sales tests/web/console compares with a ledger",
    )
    parser.addoption(
        "--every-look",
        action="store_true",
        help="check each page of the console with axe at each size in each colour scheme",
    )
    parser.addoption(
        "--deployment",
        action="store_true",
        help="build and run the image, try Caddy, and run the checkers of deployment files",
    )
    parser.addoption(
        "--open-referral-schemas",
        default="",
        metavar="FOLDER",
        help="the folder schema/compiled of openreferral/specification 3.0, against which services are checked",
    )
    parser.addoption(
        "--rules",
        type=int,
        default=500,
        metavar="RULES",
        help="the number of rules whose occurrences tests/timetable compares with PostgreSQL",
    )
    parser.addoption(
        "--seed", type=int, default=1, metavar="SEED", help="the seed of the random requests of tests/fuzz"
    )


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


@pytest.fixture(autouse=True, scope="session")
def copied_schemas() -> Iterator[None]:
    """Copy the schema of new SQLite files; `real_migrations` runs the migrations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "_upgrade_new", copy_schema)
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make new databases as users do, by all migrations."""
    monkeypatch.setattr(migrate, "_upgrade_new", MIGRATE)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with the cheapest parameters; tests/identity tests the usual parameters."""
    monkeypatch.setattr("openbooking.identity.sign_in.passwords.PasswordHasher", lambda: HASHER)


@pytest.fixture(autouse=True, scope="session")
def unmeasured_processes() -> Iterator[dict[str, str]]:
    """Measure no coverage in the processes that tests start, which makes them several times as fast.

    They run code that other tests cover. Yield the variables of the environment that `measured_processes` sets.
    """
    with pytest.MonkeyPatch.context() as patch:
        variables = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
        for name in variables:
            patch.delenv(name)
        yield variables


@pytest.fixture
def measured_processes(unmeasured_processes: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the coverage of the processes that a test starts, because no other process runs the same code."""
    for name, value in unmeasured_processes.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def is_long_run(request: pytest.FixtureRequest) -> bool:
    """Whether tests try for longer than in `make test`, as `make fire` does."""
    return bool(request.config.getoption("--fire") > SHORT_FIRE_SECONDS)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of asynchronous tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def validator() -> Validator:
    """Return OpenActive's validators, which are started once in each test process."""
    return running_validator()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Yield a running demo, which is started once in each test process because its database takes seconds to fill."""
    with running_demo(tmp_path_factory.mktemp("demo") / "demo.sqlite3") as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Yield a PostgreSQL server, which is started once in each test process."""
    with PostgresServer() as running:
        yield running
