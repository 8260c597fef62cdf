"""The catalogue of requirements, `docs/reference/requirements.md`, as the tests read it."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_CATALOGUE = _REFERENCE / "requirements.md"
_NOT_TESTED = _REFERENCE / "not-tested.toml"


class Requirement(NamedTuple):
    """A row of the catalogue that asks something of a Booking System: in Part A, or a row of the tables C and D."""

    id: str
    level: str

    @property
    def group(self) -> str:
        """What its heading stands under: OB-FEED, TI-C, E."""
        return self.id.rpartition("-")[0]


def _find(pattern: str) -> list[tuple[str, ...]]:
    return re.findall(pattern, _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def requirement_ids() -> frozenset[str]:
    """Every id that a row of the catalogue defines."""
    return frozenset(id_ for id_, _ in _find(r"^\| ((?:OB|TI|AMB|E)-[A-Z0-9-]+) (\|)"))


@cache
def requirements() -> tuple[Requirement, ...]:
    """What is asked, in the order of the catalogue; the tables of errors, criteria and actions ask all they list."""
    rows = _find(r"^\| (OB-[A-Z0-9]+-\d+|E-\d+|TI-[AC]-\d+) \| (MUST|SHOULD|MAY)?")
    return tuple(Requirement(id_, level or "MUST") for id_, level in rows)


@cache
def group_titles() -> dict[str, str]:
    """The heading of each group of ids."""
    return {group: title.strip() for title, group in _find(r"^#+ (?:\d+\. |Part [A-Z]\. )?(.+?) \((OB-[A-Z0-9]+|E|TI-[AC])\)")}


@cache
def reasons_not_tested() -> dict[str, str]:
    """Why no test of ours can show a requirement, by its id; kept by hand in `not-tested.toml`."""
    reasons: dict[str, str] = tomllib.loads(_NOT_TESTED.read_text(encoding="utf-8"))
    return reasons


@cache
def error_statuses() -> dict[str, int]:
    """The HTTP status of each error class that has one (Part C)."""
    return {name: int(status) for name, status in _find(r"^\| E-\d+ \| `(\w+)`[^|]*\| (\d+) \|")}
