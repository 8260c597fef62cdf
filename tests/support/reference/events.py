"""The table of the events that the system logs, from the calls in its code."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.reference.tables import UndocumentedError, code, codes, table

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "openbooking"
MEANINGS = ROOT / "docs" / "reference" / "events.toml"
_LEVELS = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "critical": "critical",
    "exception": "error",
}
# The names of loggers. A test checks that the code has no other names.
_LOGGERS = frozenset({"log", "_log", "structlog.get_logger()"})


class Event(NamedTuple):
    """A call that logs an event: its name, its level and the names of its fields."""

    name: str
    level: str
    fields: tuple[str, ...]


def events_table() -> str:
    """Return a row for each event.

    Raises:
        UndocumentedError: An event has no meaning in docs/reference/events.toml, or a meaning has no event.
    """
    meanings: dict[str, str] = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    found: dict[str, list[Event]] = {}
    for event in logged_events(SOURCE):
        found.setdefault(event.name, []).append(event)
    if differing := sorted(found.keys() ^ meanings.keys()):
        raise UndocumentedError(f"events.toml and the code differ in these events: {', '.join(differing)}.")
    rows = (_row(name, calls, meanings[name]) for name, calls in sorted(found.items()))
    return table(("Event", "Level", "Fields", "Meaning"), rows)


def _row(name: str, calls: list[Event], meaning: str) -> tuple[str, str, str, str]:
    levels = " or ".join(dict.fromkeys(call.level for call in calls))
    fields = dict.fromkeys(field for call in calls for field in call.fields)
    return code(name), levels, codes(fields), meaning


def logged_events(folder: Path) -> Iterator[Event]:
    """Yield an event for each call of a logger in the Python files of a folder.

    Raises:
        UndocumentedError: The name of an event is not a literal.
    """
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (level := _level(node.func)):
                yield _event(node, level, file)


def _level(function: ast.expr) -> str | None:
    """Return the level of a call of a logger; None for other calls."""
    if not isinstance(function, ast.Attribute) or ast.unparse(function.value) not in _LOGGERS:
        return None
    return _LEVELS.get(function.attr)


def _event(call: ast.Call, level: str, file: Path) -> Event:
    name = call.args[0] if call.args else None
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        raise UndocumentedError(f"{file}:{call.lineno}: the name of an event must be a literal text.")
    fields = (keyword.arg or "…" for keyword in call.keywords)
    return Event(name.value, level, tuple(field for field in fields if field != "exc_info"))
