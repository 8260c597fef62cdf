"""The script of docs/how-to/write-a-broker.md books and pays in the demo, and is told of the cancellation."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from openbooking.sandbox.sellers import TRUST

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-broker.md"
OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
MOST_LINES = 30


def script_of_page() -> str:
    script: str
    [script] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return script


def test_the_script_has_thirty_lines_at_most() -> None:
    assert len([line for line in script_of_page().splitlines() if line.strip()]) <= MOST_LINES


def test_the_script_books_pays_and_is_told_of_the_cancellation(tmp_path: Path) -> None:
    (tmp_path / "my_broker.py").write_text(script_of_page().replace("time.sleep(10)", "time.sleep(0.2)"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(tmp_path / "demo.sqlite3")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        try:
            printed = ""
            for line in demo.stdout:
                printed += line
                if line.startswith("# Sample app: "):
                    break
            site, key, database, address = (
                re.findall(pattern, printed, re.MULTILINE)[0]
                for pattern in (
                    r"^#   Dataset site +(\S+)",
                    r"(obk_\S+) of",
                    r"^#   Database +(\S+)",
                    r"^api=(\S+)/api$",
                )
            )
            settings = environment | {"OPENBOOKING_DATABASE": database, "OPENBOOKING_SITE_URL": address}
            script = [sys.executable, "my_broker.py", site, key]
            with subprocess.Popen(script, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as broker:
                assert broker.stdout
                told = [broker.stdout.readline() for _ in range(3)]
                order = told[2].split()[1]
                cancel = [OPENBOOKING, "order", "cancel", f"demo/{order}", "--seller", TRUST.key, "--yes"]
                subprocess.run(cancel, env=settings, check=True, capture_output=True, timeout=60)
                told.append(broker.stdout.readline())
        finally:
            demo.send_signal(signal.SIGTERM)
    assert broker.returncode == 0
    held, paid, booked, refunded = told
    assert held.startswith("held until 20")
    assert paid == "paid 5.40 GBP\n"
    assert booked.startswith("booked ")
    assert refunded == "refunded 5.40 GBP\n"
