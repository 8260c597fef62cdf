"""Logs: tracebacks without the values of variables, no control characters, and lines that cannot be written."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support.hostile_text import HOSTILE, unsafe

FAULT = textwrap.dedent(
    """
    import sys
    import structlog
    from openbooking.serving.logs import configure_logs

    sys.stderr.isatty = lambda: {terminal}
    configure_logs()

    def sign_in(password):
        raise ZeroDivisionError

    try:
        sign_in("correct " + "horse")
    except ZeroDivisionError as fault:
        structlog.get_logger().error("request.failed", exc_info=fault)
    """
)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_traceback_of_a_fault_shows_no_values(terminal: bool) -> None:
    script = FAULT.format(terminal=terminal)
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "request.failed" in told.stderr
    assert "sign_in" in told.stderr
    assert "correct horse" not in told.stderr


def test_a_log_line_that_cannot_be_written_is_dropped() -> None:
    script = textwrap.dedent(
        """
        import structlog
        from openbooking.serving.logs import configure_logs

        configure_logs()
        log = structlog.get_logger()
        log.warning("upkeep.postponed")
        log.error("request.failed")
        print("went on")
        """
    )
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=full, text=True, check=True
        )
    assert done.stdout == "went on\n"


def test_every_value_can_be_logged() -> None:
    script = textwrap.dedent(
        """
        import structlog
        from openbooking.serving.logs import configure_logs

        configure_logs()
        log = structlog.get_logger()
        try:
            raise LookupError(chr(0xD800))
        except LookupError as fault:
            log.error("request.failed", exc_info=fault, half=chr(0xD800), odd={("x",): 1})
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["half"]) == ("request.failed", "\ud800")
    assert "LookupError" in line["exception"]


LOGGING = textwrap.dedent(
    """
    import logging, sys
    import structlog
    from openbooking.serving.logs import configure_logs

    sys.stderr.isatty = lambda: {terminal}
    configure_logs()
    hostile = {hostile!r}
    log = structlog.get_logger()
    try:
        raise LookupError(hostile)
    except LookupError as fault:
        log.error(hostile, told=hostile, listed=[hostile], exc_info=fault, **{{hostile: 1}})
    logging.getLogger("library").warning("%s", hostile)
    """
)


@pytest.mark.parametrize("terminal", [True, False])
def test_logs_contain_no_control_characters(terminal: bool) -> None:
    script = LOGGING.format(terminal=terminal, hostile=HOSTILE)
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True).stderr
    if terminal:
        for sequence in ("\x1b]0;", "\x1b[2J"):
            assert sequence not in told
        assert unsafe(told) <= {"\x1b"}
        assert not [line for line in told.split("\n") if line.startswith("forged")]
    else:
        lines = [json.loads(line) for line in told.split("\n") if line]
        assert [line["event"] for line in lines] == [HOSTILE, HOSTILE]
        assert (lines[0]["told"], unsafe(told)) == (HOSTILE, set())
