"""The configuration of logging: for people on a terminal, and as JSON lines elsewhere."""

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
    """Send the logs of structlog and of the standard library to stderr, in one form.

    Args:
        level: The lowest level that is logged.
        for_good: Whether loggers keep this configuration, which makes each line faster. For processes that serve.
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
    # structlog writes directly, because the standard library would be slower for a line with every booking.
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
    # These libraries log every migration and every request, which is of use only for debugging them.
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
    """Return the event with every name and value cleaned for a terminal."""
    return {clean_text(name): value if name == _FAULT else _clean_value(value) for name, value in event.items()}


def _clean_value(value: object) -> object:
    return clean_text(value if isinstance(value, str) else repr(value))


def _traceback(written: TextIO, fault: ExcInfo) -> None:
    """Write a traceback, indented, so that no text in its messages can look like a line of the log."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, fault)
    written.write(indent(clean_text(plain.getvalue(), safe="\n"), "  "))


def _json(event: Any, **options: Any) -> str:
    """Return the line. A value without a form in JSON is written as Python prints it."""
    try:
        line = msgspec.json.encode(event, enc_hook=options["default"]).decode()
    except (ValueError, TypeError):
        # For example half of a surrogate pair from a request. The line must be logged all the same.
        line = json.dumps(event, default=options["default"], skipkeys=True)
    # Lines are read on terminals too. An escaped character means the same in JSON.
    return replace_unsafe(line, _escaped)


def _escaped(char: str) -> str:
    code = char.encode("utf-16-be").hex()
    return "".join(f"\\u{code[first : first + 4]}" for first in range(0, len(code), 4))
