"""Logging, configured once: for people on a terminal, as JSON lines for everything else."""

import json
import logging
import sys
from contextlib import suppress
from io import StringIO
from textwrap import indent
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from openbooking.printable import clean_text, replace_unsafe

# What the renderer for people shows as a traceback.
_FAULT = "exc_info"


def configure_logs(level: int = logging.INFO, *, for_good: bool = True) -> None:
    """Send what structlog and the standard library log to stderr, in one form.

    `for_good` is for processes that serve: their loggers keep this configuration, so that each line takes less time.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Other ways to show a fault show the values of variables too, and secrets and customers are among them.
    rendering: list[Processor] = (
        [_clean_event, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    # What structlog logs, a line for every booking, does not take the long way through the standard library.
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Logger(sys.stderr),
        cache_logger_on_first_use=for_good,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # These tell about every migration checked and every request sent, which is for whoever debugs them.
    for library in ("alembic", "httpx2", "httpcore2", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)


class _Logger(structlog.WriteLogger):
    """Writes lines; where they cannot be written, as on a full disk, what is logged goes on all the same."""

    def msg(self, message: str) -> None:
        """Write the line, if that can be."""
        with suppress(OSError, ValueError):
            super().msg(message)

    debug = info = warning = warn = error = err = critical = fatal = failure = exception = log = msg


def _clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Clean every name and value for a terminal."""
    return {clean_text(name): value if name == _FAULT else _clean_value(value) for name, value in event.items()}


def _clean_value(value: object) -> object:
    return clean_text(value if isinstance(value, str) else repr(value))


def _traceback(written: TextIO, fault: ExcInfo) -> None:
    """Write a traceback. It is indented, so that nothing that its messages quote begins a line of the log."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, fault)
    written.write(indent(clean_text(plain.getvalue(), safe="\n"), "  "))


def _json(event: Any, **options: Any) -> str:
    """The line; what JSON has no word for is told as Python would print it."""
    try:
        line = msgspec.json.encode(event, enc_hook=options["default"]).decode()
    except (ValueError, TypeError):
        # Half a character, say, which somebody has sent: no fault goes untold for what is told with it.
        line = json.dumps(event, default=options["default"], skipkeys=True)
    # Lines are read on terminals too, and an escaped character means the same in JSON.
    return replace_unsafe(line, _escaped)


def _escaped(char: str) -> str:
    code = char.encode("utf-16-be").hex()
    return "".join(f"\\u{code[first : first + 4]}" for first in range(0, len(code), 4))
