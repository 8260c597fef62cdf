"""Logging, configured once: for people on a terminal, as JSON lines for everything else."""

import json
import logging
import sys
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor


def configure_logs(level: int = logging.INFO) -> None:
    """Send what structlog and the standard library log to stderr, in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Other ways to show a fault show the values of variables too, and secrets and customers are among them.
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    # What structlog logs, a line for every booking, does not take the long way through the standard library.
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Logger(sys.stderr),
        cache_logger_on_first_use=True,
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


def _json(event: Any, **options: Any) -> str:
    """The line; what JSON has no word for is told as Python would print it."""
    try:
        return msgspec.json.encode(event, enc_hook=options["default"]).decode()
    except (ValueError, TypeError):
        # Half a character, say, which somebody has sent: no fault goes untold for what is told with it.
        return json.dumps(event, default=options["default"], skipkeys=True)
