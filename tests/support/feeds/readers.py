"""Processes that read a feed, and are killed while they read."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.feeds.answers import Answer
from support.feeds.reader_process import peak_bytes


class Readers:
    """Starts reading processes one after another: when one is killed, the next starts."""

    def __init__(self, kills: int, every: int, seed: int) -> None:
        self.kills = 0
        self.peaks: list[int] = []
        self._kills_left = kills
        self._every = every
        self._requests = 0
        self._process: subprocess.Popen[str] | None = None
        self._chance = random.Random(seed)  # noqa: S311 - any moment will do

    def run(self, *arguments: str) -> None:
        """Start processes until a process reaches the end of the feed."""
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            command = (
                sys.executable,
                str(Path(__file__).parent / "reader_process.py"),
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
