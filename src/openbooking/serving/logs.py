"""The format of the logs: coloured text on a terminal, and otherwise JSON lines, both on stderr (`configure_logs`)."""

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

# The key of the exception, which the renderer for people shows as a traceback.
_FAULT = "exc_info"


def configure_logs(level: int = logging.INFO, *, for_good: bool = True) -> None:
    """Send the logs of structlog and of the standard library to stderr, in the same format.

    Args:
        level: The lowest level that is logged.
        for_good: Whether loggers keep this configuration permanently, which makes logging faster. For servers.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Other formatters of exceptions show the values of variables, which include secrets and personal data.
    rendering: list[Processor] = (
        [_clean_event, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    # structlog does not write through the standard library, which is slower: servers log every booking.
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
    # These libraries log every migration and every request, which helps only to debug the libraries.
    for library in ("alembic", "httpx2", "httpcore2", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)


class _Logger(structlog.WriteLogger):
    """Writes lines to a file. A line that cannot be written, as on a full disk, is dropped without an error."""

    def msg(self, message: str) -> None:
        """Write a line, or drop it if it cannot be written."""
        with suppress(OSError, ValueError):
            super().msg(message)

    debug = info = warning = warn = error = err = critical = fatal = failure = exception = log = msg


def _clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event without control characters in its names and values."""
    return {clean_text(name): value if name == _FAULT else _clean_value(value) for name, value in event.items()}


def _clean_value(value: object) -> object:
    """Return a value as text without control characters."""
    return clean_text(value if isinstance(value, str) else repr(value))


def _traceback(written: TextIO, fault: ExcInfo) -> None:
    """Write an indented traceback, so that no line of its message looks like a line of the log."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, fault)
    written.write(indent(clean_text(plain.getvalue(), safe="\n"), "  "))


def _json(event: Any, **options: Any) -> str:
    """Return an event as one line of JSON. A value that JSON does not have is written as Python prints it."""
    try:
        line = msgspec.json.encode(event, enc_hook=options["default"]).decode()
    except (ValueError, TypeError):
        # For example, msgspec refuses half of a surrogate pair from a request. The line must be logged nevertheless.
        line = json.dumps(event, default=options["default"], skipkeys=True)
    # People also read these lines on a terminal. In JSON an escaped character has the same meaning.
    return replace_unsafe(line, _escape)


def _escape(char: str) -> str:
    """Return the escape sequence of a character in JSON."""
    code = char.encode("utf-16-be").hex()
    return "".join(f"\\u{code[first : first + 4]}" for first in range(0, len(code), 4))
