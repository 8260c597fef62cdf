"""The systemd units are understood by systemd, are confined, and stop the server in time."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.deployment.files import DEPLOY, UNITS, unit_values

SYSTEMD = DEPLOY / "systemd"
# systemd's own measure of exposure, times ten. A service without such directives has 96.
MOST_EXPOSED = 15
SECONDS_TO_FINISH = 10
SCRIPTS = [SYSTEMD / "openbooking", DEPLOY / "backup/openbooking-backup"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root directory of a machine on which the files have been copied as their first lines say."""
    programs = tmp_path / "opt/openbooking/bin"
    units = tmp_path / "etc/systemd/system"
    for folder in (programs, units, tmp_path / "bin"):
        folder.mkdir(parents=True)
    for unit in [*UNITS, *SYSTEMD.glob("*.timer")]:
        shutil.copy(unit, units)
    for target in ("basic", "multi-user", "network-online", "shutdown", "sysinit", "timers"):
        (units / f"{target}.target").write_text("[Unit]\nDescription=A target\n", encoding="utf-8")
    shutil.copy(DEPLOY / "backup/openbooking-backup", programs)
    for program in (programs / "openbooking", tmp_path / "bin/kill"):
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("unit", [*UNITS, *SYSTEMD.glob("*.timer")], ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, root: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", f"--root={root}", f"/etc/systemd/system/{unit.name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_service_is_confined(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_process_alone_is_told_to_stop_and_has_time() -> None:
    unit = SYSTEMD / "openbooking.service"
    assert unit_values(unit, "KillMode") == ["mixed"]
    (seconds,) = unit_values(unit, "TimeoutStopSec")
    settings = (SYSTEMD / "openbooking.env").read_text(encoding="utf-8")
    (drain,) = re.findall(r"^OPENBOOKING_DRAIN_SECONDS=(\d+)", settings, re.MULTILINE)
    assert int(seconds) > int(drain) + SECONDS_TO_FINISH


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_shell_scripts_that_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# What systemd reads from an EnvironmentFile, by systemd.exec(5).
READ_BY_SYSTEMD = {
    "OPENBOOKING_SITE_URL=https://booking.example.com": "https://booking.example.com",
    'OPENBOOKING_NAME="Anna\'s Leisure & Sports"': "Anna's Leisure & Sports",
    "OPENBOOKING_PUBLISHER_EMAIL='open data@example.com'": "open data@example.com",
    "OPENBOOKING_DATABASE=postgresql:///openbooking?host=/var/run/postgresql&port=5433": (
        "postgresql:///openbooking?host=/var/run/postgresql&port=5433"
    ),
    "OPENBOOKING_TERMS_OF_SERVICE=https://example.com/$HOME;`id`?a=(b)#c": "https://example.com/$HOME;`id`?a=(b)#c",
    "OPENBOOKING_PORT=8000 ": "8000",
    "; OPENBOOKING_HOST=0.0.0.0": None,
}


def test_the_script_reads_the_settings_as_the_service_does(tmp_path: Path) -> None:
    """A shell that read the file itself would take `&` and `$` for its own."""
    settings, programs = tmp_path / "openbooking.env", tmp_path / "bin"
    programs.mkdir()
    (programs / "runuser").write_text("#!/bin/sh\nenv\n", encoding="utf-8")
    (programs / "runuser").chmod(0o755)
    script = (SYSTEMD / "openbooking").read_text(encoding="utf-8")
    script = script.replace("/etc/openbooking", str(tmp_path)).replace("/var/lib/openbooking", str(tmp_path))
    given = (SYSTEMD / "openbooking.env").read_text(encoding="utf-8")
    settings.write_text(given + "\n".join(READ_BY_SYSTEMD), encoding="utf-8")
    path = f"{programs}:/usr/bin:/bin"
    done = subprocess.run(["env", "-i", f"PATH={path}", "sh", "-c", script], capture_output=True, text=True, check=True)
    read = dict(line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("OPENBOOKING_"))
    last = {line.partition("=")[0]: value for line, value in READ_BY_SYSTEMD.items() if value is not None}
    assert {name: value for name, value in read.items() if name in last} == last
    lines = [line for line in given.splitlines() if line.startswith("OPENBOOKING_")]
    assert read.keys() == {line.partition("=")[0] for line in lines} | last.keys()
