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


@pytest.mark.parametrize(
    "script", [SYSTEMD / "openbooking", DEPLOY / "backup/openbooking-backup"], ids=lambda p: p.name
)
def test_scripts_are_shell_scripts_that_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_environment_file_means_the_same_to_a_shell() -> None:
    """`systemd/openbooking` reads the file as a shell does, openbooking.service as systemd does."""
    file = SYSTEMD / "openbooking.env"
    shell = subprocess.run(
        ["env", "-i", "sh", "-euc", f"set -a; . {file}; env"], capture_output=True, text=True, check=True
    )
    read = dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith("OPENBOOKING_"))
    lines = file.read_text(encoding="utf-8").splitlines()
    written = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert read == {name: value.removeprefix('"').removesuffix('"') for name, value in written.items()}
