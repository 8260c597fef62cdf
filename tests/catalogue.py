"""The catalogue of requirements, `docs/reference/requirements.md`, as the tests read it."""

import re
from functools import cache
from pathlib import Path

_CATALOGUE = Path(__file__).parent.parent / "docs" / "reference" / "requirements.md"


@cache
def requirement_ids() -> frozenset[str]:
    """Every id that a row of the catalogue defines."""
    rows = re.findall(r"^\| ((?:OB|TI|AMB|E)-[A-Z0-9-]+) \|", _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(rows)


@cache
def error_statuses() -> dict[str, int]:
    """The HTTP status of each error class that has one (Part C)."""
    rows = re.findall(r"^\| E-\d+ \| `(\w+)`[^|]*\| (\d+) \|", _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(status) for name, status in rows}
