"""The booking by curl in README.md books a space in the demo."""

import json
import re
import subprocess
from pathlib import Path

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
