"""The commands of a Broker at a Booking System that differs from ours."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from support.broker.commands import Run
from support.other_system.system import OtherSystem, other_system


@pytest.fixture(scope="module")
def other() -> Iterator[OtherSystem]:
    """The other Booking System."""
    with other_system() as started:
        yield started


@pytest.fixture(scope="module")
def harvested(other: OtherSystem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of a Broker that has harvested."""
    folder = tmp_path_factory.mktemp("broker")
    database = str(folder / "broker.sqlite3")
    result = CliRunner().invoke(app, ["broker", "harvest", other.url, "--database", database])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def run(other: OtherSystem, harvested: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command at the other system with the API key in the environment."""
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BROKER_API_KEY", other.api_key)
    monkeypatch.chdir(harvested)

    def invoke(command: str, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["broker", command, other.url, *arguments], input=typed)

    return invoke
