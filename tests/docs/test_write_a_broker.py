"""The script of docs/how-to/write-a-broker.md books and pays in the demo, and is told of the cancellation."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from openbooking.sandbox.sellers import TRUST

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-broker.md"
OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
MOST_LINES = 30
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}


class Demo(NamedTuple):
    """What the demo prints: its dataset site, an API key, its database and its address."""

    site: str
    key: str
    database: str
    address: str


def script_of_page() -> str:
    script: str
    [script] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return script


def test_the_script_has_thirty_lines_at_most() -> None:
    assert len([line for line in script_of_page().splitlines() if line.strip()]) <= MOST_LINES


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, as the reader of the page starts it."""
    database = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(database)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if line.startswith("# Sample app: "):
                    break
            patterns = (r"^#   Dataset site +(\S+)", r"(obk_\S+) of", r"^#   Database +(\S+)", r"^api=(\S+)/api$")
            yield Demo(*(re.findall(pattern, printed, re.MULTILINE)[0] for pattern in patterns))
        finally:
            process.send_signal(signal.SIGTERM)


def test_the_script_books_pays_and_is_told_of_the_cancellation(tmp_path: Path, demo: Demo) -> None:
    (tmp_path / "my_broker.py").write_text(script_of_page().replace("time.sleep(10)", "time.sleep(0.2)"))
    settings = ENVIRONMENT | {"OPENBOOKING_DATABASE": demo.database, "OPENBOOKING_SITE_URL": demo.address}
    script = [sys.executable, "my_broker.py", demo.site, demo.key]
    with subprocess.Popen(script, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout
        told = [broker.stdout.readline() for _ in range(3)]
        order = told[2].split()[1]
        cancel = [OPENBOOKING, "order", "cancel", f"demo/{order}", "--seller", TRUST.key, "--yes"]
        subprocess.run(cancel, env=settings, check=True, capture_output=True, timeout=60)
        told.append(broker.stdout.readline())
    assert broker.returncode == 0
    held, paid, booked, refunded = told
    assert held.startswith("held until 20")
    assert paid == "paid 5.40 GBP\n"
    assert booked.startswith("booked ")
    assert refunded == "refunded 5.40 GBP\n"


def test_the_commands_book_in_the_demo(tmp_path: Path, demo: Demo) -> None:
    def run(command: str, *arguments: str) -> str:
        environment = ENVIRONMENT | {"BROKER_API_KEY": demo.key}
        words = [OPENBOOKING, "broker", command, demo.site, *arguments]
        done = subprocess.run(
            words, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"api\t{demo.address}/api" in run("discover")
    assert "ScheduledSession" in run("harvest")
    assert "Early lane swimming" in run("search", "--text", "swimming")
    customer = ("--email", "a@example.com", "--given-name", "Ann", "--family-name", "Ash", "--yes")
    booked = run("book", "--text", "early lane", "--hit", "3", "--pretend-payment", *customer)
    order = booked.split()[2]
    run("cancel", order, "--yes")
    assert f"{order}\tcancelled by you\tEarly lane swimming\t" in run("orders")
