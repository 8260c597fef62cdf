"""`openbooking sandbox`: its options and its exit status."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from openbooking.cli import app


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """A scenario file that expects nothing."""
    path = tmp_path / "empty.toml"
    path.touch()
    return str(path)


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
def test_the_exit_status_says_whether_all_was_as_expected(
    monkeypatch: pytest.MonkeyPatch, scenario: str, passed: bool, status: int
) -> None:
    monkeypatch.setattr("openbooking.cli.operations.sandbox._run_scenarios", lambda *_: passed)
    assert CliRunner().invoke(app, ["sandbox", "--scenario", scenario, "--", "true"]).exit_code == status


def test_a_scenario_needs_a_command_and_a_command_a_scenario(scenario: str) -> None:
    for arguments in (["--scenario", scenario], ["--", "true"]):
        refused = CliRunner().invoke(app, ["sandbox", *arguments])
        assert refused.exit_code == 2
        assert "Scenarios need a command" in refused.output


def test_a_broken_scenario_is_refused_before_the_sandbox_starts(scenario: str) -> None:
    Path(scenario).write_text("[expect]\nbookings = 1", encoding="utf-8")
    refused = CliRunner().invoke(app, ["sandbox", "--scenario", scenario, "--", "true"])
    assert refused.exit_code == 1
    assert "unknown field `bookings`" in refused.output
