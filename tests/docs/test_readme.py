"""The booking by curl in README.md books a space in the demo."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))


def printed_by_demo(lines: list[str], pattern: str) -> str:
    found = re.search(pattern, "".join(lines), re.MULTILINE)
    assert found, pattern
    return found[1]


def test_the_booking_by_curl_books_in_the_demo(tmp_path: Path) -> None:
    [script] = re.findall(r"^## A booking by curl\n.*?^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(tmp_path / "demo.sqlite3")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        try:
            lines: list[str] = []
            for line in demo.stdout:
                lines.append(line)
                if line.startswith('call "$api/orders-rpde"'):
                    break
            # The reader of README.md replaces these three: address, key and time of the session.
            for name, pattern in (("api", r"^api=(.*)$"), ("key", r"^key=(.*)$")):
                script = re.sub(
                    rf"^{name}=.*$", f"{name}={printed_by_demo(lines, pattern)}", script, flags=re.MULTILINE
                )
            session = r"early-lanes\.\d{8}T\d{4}Z"
            script = re.sub(session, printed_by_demo(lines, f"({session})"), script)
            done = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, check=True, timeout=60)
        finally:
            demo.send_signal(signal.SIGTERM)
    order = json.loads(done.stdout)
    assert [item["orderItemStatus"] for item in order["orderedItem"]] == ["https://openactive.io/OrderItemConfirmed"]
