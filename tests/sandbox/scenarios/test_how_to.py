"""The examples of docs/how-to/test-a-broker.md, run as its readers run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.pages.blocks import ROOT, read_blocks

PAGE = ROOT / "docs" / "how-to" / "test-a-broker.md"
OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}


# The notice is put off, and becomes due by the turn of the clock.
TURNED = """
[[rule]]
after = "B"
action = { do = "notify", notice = "Bring a towel.", after_seconds = 600 }
[[rule]]
after = "B"
turn_clock = { minutes = 20 }
[expect]
orders_feed_within = 60
answers = { C2 = 1, B = 1 }
"""
# Runs the Broker of the page three times, and then a Broker that does everything wrong.
EITHER = """
import runpy
from pathlib import Path

counter = Path("runs")
runs = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(runs + 1))
runpy.run_path("broker.py" if runs < 3 else "wrong.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    made = tmp_path_factory.mktemp("broker")
    examples = {block.file_name: block.text for block in read_blocks(PAGE) if block.file_name}
    assert len(examples) == 6
    for name, text in examples.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.mark.spec("OB-BRK-03", "OB-BRK-07")
def test_the_scenarios_of_the_page_pass_with_its_broker_and_fail_with_a_wrong_one(folder: Path) -> None:
    with_new_uuid = '            path = f"orders/{uuid.uuid4()}"\n            continue\n'
    wrong = (folder / "broker.py").read_text(encoding="utf-8").replace("            continue\n", with_new_uuid)
    wrong = wrong.replace("    changed_orders(site, key)\n", "    raise SystemExit(3)\n")
    (folder / "wrong.py").write_text(wrong, encoding="utf-8")
    (folder / "either.py").write_text(EITHER, encoding="utf-8")
    (folder / "turned.toml").write_text(TURNED, encoding="utf-8")
    pair = ("--scenario", "lost-answer.toml", "--scenario", "cancelled.toml")
    scenarios = ("--scenario", "turned.toml", *pair, *pair)
    done = run(folder, OPENBOOKING, "sandbox", *scenarios, "--", sys.executable, "either.py")
    assert done.returncode == 1, done.stderr
    passed, lost, cancelled = done.stdout.split("FAILED: ")
    assert passed.splitlines() == ["passed: turned", "passed: The answer to B is lost", "passed: The Seller cancels"]
    assert "  the command ended with status 3\n" in lost
    assert "  orders is 2, and 1 was expected\n" in lost
    assert "  confirmed_items is 2, and 1 was expected\n" in lost
    assert "  OB-BRK-03 is broken by request " in lost
    assert "the Orders feed was not read after the action cancel" in cancelled
    assert "(OB-BRK-07)" in cancelled
    assert cancelled.endswith("3 of 5 scenarios passed\n")


def test_the_fixture_of_the_page_works(folder: Path) -> None:
    done = run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
