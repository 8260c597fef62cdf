"""A copy equals a faulty feed in the end, although its reader is killed many times.

`make hostile` runs this test with 100,000 items.
"""

import logging
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.feeds.answers import Answer
from support.feeds.hostile_feed import FAULTS, PATH, Upstream
from support.feeds.reader_process import peak_bytes
from support.feeds.server import serving

SEED = 14
LEAST_KILLS = 10
ITEMS_A_KILL = 1_000
MOST_BYTES = 300_000_000

_log = logging.getLogger(__name__)


class Readers:
    """Starts reading processes one after another: when one is killed, the next starts."""

    def __init__(self, kills: int, every: int) -> None:
        self.kills = 0
        self.peaks: list[int] = []
        self._kills_left = kills
        self._every = every
        self._requests = 0
        self._process: subprocess.Popen[str] | None = None
        self._chance = random.Random(SEED)  # noqa: S311 - any moment will do

    def run(self, *arguments: str) -> None:
        """Start processes until a process reaches the end of the feed."""
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            command = (
                sys.executable,
                str(Path(__file__).parents[1] / "support" / "feeds" / "reader_process.py"),
                *arguments,
            )
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as self._process:
                told, _ = self._process.communicate()
            status = self._process.returncode
        assert status == 0
        self.peaks.append(int(told))

    def maybe_kill(self, answer: Answer) -> Answer:
        """Return the answer. Sometimes kill the process before, while or after it reads the answer."""
        self._requests += 1
        if not self._kills_left or self._requests % self._every:
            return answer
        moment = self._chance.randrange(3)
        if moment == 0:
            self.kill()
            return answer
        return answer._replace(halfway=self.kill) if moment == 1 else answer._replace(after=self._kill_soon)

    def _kill_soon(self) -> None:
        time.sleep(self._chance.uniform(0, 0.02))
        self.kill()

    def kill(self) -> None:
        """Kill the process if it has not ended."""
        process = self._process
        if process is not None and process.poll() is None and self._kills_left:
            self._kills_left -= 1
            self.kills += 1
            self.peaks.append(peak_bytes(process.pid))
            process.send_signal(signal.SIGKILL)


def kept(path: Path) -> tuple[dict[tuple[str, str], bytes], set[bytes]]:
    """Return the items of a copy by id and kind, and the items without an id."""
    with closing(sqlite3.connect(path)) as copy:
        rows = copy.execute("SELECT id, kind, content FROM item").fetchall()
    return {(id_, kind): item for id_, kind, item in rows if id_}, {item for id_, _, item in rows if not id_}


@pytest.mark.spec("OB-FEED-07", "OB-FEED-17", "OB-FEED-32")
def test_a_copy_equals_its_feed_after_faults_and_killed_readers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    items = request.config.getoption("--hostile")
    kills = max(LEAST_KILLS, items // ITEMS_A_KILL)
    upstream = Upstream(items, SEED)
    readers = Readers(kills, every=max(2, upstream.pages * 3 // 2 // kills))
    began = time.monotonic()
    with serving(lambda path: readers.maybe_kill(upstream.answer(path)), tmp_path) as site:
        upstream.site = site.url
        readers.run(site.url + PATH, str(tmp_path / "copy"), str(site.certificate))
    _log.info(
        "%s items shaped by %s in %s requests; %s kills; most memory %.0f MB; %.0f s; faults: %s",
        items, upstream.shaped_by, len(site.asked), readers.kills, max(readers.peaks) / 1e6, time.monotonic() - began,
        dict(sorted(upstream.served.items())),
    )  # fmt: skip
    named, nameless = upstream.items()
    copied, copied_nameless = kept(tmp_path / "copy")
    assert copied.keys() == named.keys()
    assert [key for key, item in named.items() if copied[key] != item] == []
    assert copied_nameless == nameless
    assert readers.kills == kills
    assert FAULTS.keys() - upstream.served.keys() == set()
    assert max(readers.peaks) < MOST_BYTES
