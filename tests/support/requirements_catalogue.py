"""A reader of the catalogue of requirements, `docs/reference/requirements.md`."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_CATALOGUE = _REFERENCE / "requirements.md"
_NOT_TESTED = _REFERENCE / "not-tested.toml"


class Requirement(NamedTuple):
    """A requirement on a Booking System: a row of Part A, or of the tables in Parts C and D."""

    id: str
    level: str

    @property
    def group(self) -> str:
        """Return the group of the requirement, such as OB-FEED, TI-C or E."""
        return self.id.rpartition("-")[0]


def _find(pattern: str) -> list[tuple[str, ...]]:
    return re.findall(pattern, _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def requirement_ids() -> frozenset[str]:
    """Return every id that a row of the catalogue defines, including those of ambiguities (AMB)."""
    return frozenset(id_ for id_, _ in _find(r"^\| ((?:OB|TI|AMB|E)-[A-Z0-9-]+) (\|)"))


@cache
def requirements() -> tuple[Requirement, ...]:
    """Return the requirements in the order of the catalogue. Errors, criteria and actions without a level are MUST."""
    rows = _find(r"^\| (OB-[A-Z0-9]+-\d+|E-\d+|TI-[AC]-\d+) \| (MUST|SHOULD|MAY)?")
    return tuple(Requirement(id_, level or "MUST") for id_, level in rows)


@cache
def group_titles() -> dict[str, str]:
    """Return the heading of each group."""
    headings = _find(r"^#+ (?:\d+\. |Part [A-Z]\. )?(.+?) \((OB-[A-Z0-9]+|E|TI-[AC])\)")
    return {group: title.strip() for title, group in headings}


@cache
def reasons_not_tested() -> dict[str, str]:
    """Return the reasons in `not-tested.toml` why no test can show a requirement, by requirement id."""
    reasons: dict[str, str] = tomllib.loads(_NOT_TESTED.read_text(encoding="utf-8"))
    return reasons


@cache
def error_statuses() -> dict[str, int]:
    """Return the HTTP status of each error class that has one (Part C)."""
    return {name: int(status) for name, status in _find(r"^\| E-\d+ \| `(\w+)`[^|]*\| (\d+) \|")}
