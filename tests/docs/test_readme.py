"""The booking by curl in README.md books a space in the demo."""

import json
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from openbooking.broker import Charge
from support.servers.demo import Demo

README = Path(__file__).parents[2] / "README.md"


def test_the_booking_by_curl_books_in_the_demo(demo: Demo) -> None:
    [script] = re.findall(r"^## A booking by curl\n.*?^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    # The reader of README.md replaces these three: address, key and time of the session.
    for name, value in (("api", demo.api), ("key", demo.found(r"^key=(.*)$"))):
        script = re.sub(rf"^{name}=.*$", f"{name}={value}", script, flags=re.MULTILINE)
    session = r"early-lanes\.\d{8}T\d{4}Z"
    script = re.sub(session, demo.found(f"({session})"), script)
    done = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, check=True, timeout=60)
    order = json.loads(done.stdout)
    assert [item["orderItemStatus"] for item in order["orderedItem"]] == ["https://openactive.io/OrderItemConfirmed"]


class Hooks:
    """Hooks of payment that note what is captured."""

    def __init__(self) -> None:
        self.captured: list[Charge] = []

    def authorise(self, charge: Charge) -> str:
        """Return an id."""
        return f"payment-{charge.payment}"

    def capture(self, charge: Charge) -> None:
        """Note the charge."""
        self.captured.append(charge)

    def void(self, charge: Charge) -> None:
        """Do nothing."""

    def refund(self, charge: Charge) -> None:
        """Do nothing."""


def test_the_broker_of_the_page_books_in_the_demo(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [script] = re.findall(r"^## Write a Broker\n.*?^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    hooks = Hooks()
    (tmp_path / "script.py").write_text(script)
    monkeypatch.chdir(tmp_path)
    values = {"site": f"{demo.site}/openactive", "key": demo.found(r"^key=(.*)$"), "hooks": hooks}
    done = runpy.run_path("script.py", init_globals=values)
    assert [charge.amount for charge in hooks.captured] == [done["quote"].total]
