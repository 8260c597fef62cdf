"""The store test kit works as its page describes, and a failure names the section of the page that has the rule."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openbooking.testing import DurableIdentityStoreTests, DurableStoreTests, ViewTests, rules

PAGE = Path(__file__).parent.parent.parent / rules.PAGE
WRONG_STORE = """
from openbooking.store.memory import MemoryStore
from openbooking.testing import StoreTests


class StoreThatCountsWrong(MemoryStore):
    async def order_counts(self):
        return {"alice": 99}


class TestWrongStore(StoreTests):
    def open_store(self, folder, *, policy, writer, clock):
        return StoreThatCountsWrong(policy=policy, writer=writer, clock=clock)
"""


def run_pytest(folder: Path, text: str, *names: str) -> subprocess.CompletedProcess[str]:
    """Run these tests of a file in which an author inherits from the kit, in a folder outside of this project."""
    (folder / "test_my_store.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", " or ".join(names), "test_my_store.py"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_example_of_the_page_tests_a_store(tmp_path: Path) -> None:
    example, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = ("test_processes_that_race_for_the_last", "test_erased_personal_data", "test_a_booking_is_answered")
    ran = run_pytest(tmp_path, example, *names)
    assert ran.returncode == 0, ran.stdout
    assert f"{len(names)} passed" in ran.stdout


def test_a_failure_shows_the_values_and_names_the_section_with_the_rule(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, WRONG_STORE, "test_orders_are_counted")
    assert ran.returncode == 1
    assert "{'alice': 99} == {}" in ran.stdout
    assert f'The rule is documented in {rules.PAGE}, section "Booking Partners".' in ran.stdout


@pytest.mark.parametrize("kit", [DurableStoreTests, DurableIdentityStoreTests, ViewTests])
def test_every_test_names_a_section_of_the_page(kit: type) -> None:
    sections = re.findall("^### (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    tests = inspect.getmembers(kit, lambda member: inspect.isfunction(member) and member.__name__.startswith("test_"))
    named = {vars(test).get("documented_in") for _, test in tests}
    assert len(tests) > 5
    assert named <= set(sections)
