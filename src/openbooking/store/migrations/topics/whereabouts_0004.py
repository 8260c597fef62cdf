"""Revision 0004: the venue and activities of Opportunities.

The code is a copy of `booking/rules/opportunities/matching_keys.py` from the time of this revision, because a migration
must never change.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

_AT_ONCE = 500
_VOCABULARY = re.compile(r"https?://(?:www\.)?openactive\.io/(activity-list|facility-types)/?#")


def fill_whereabouts() -> None:
    """Add the venue and the activities to each stored Opportunity whose properties name them."""
    db = op.get_bind()
    update = sa.text("UPDATE opportunity SET document = :document WHERE path = :path")
    for path, document in _opportunities(db):
        known = json.loads(document)
        properties = known.get("properties", {})
        venue, activities = _venue(properties), _activities(properties)
        found = {**({"venue": venue} if venue else {}), **({"activities": activities} if activities else {})}
        if found:
            filled = json.dumps({**known, **found}, ensure_ascii=False, separators=(",", ":"))
            db.execute(update, {"path": path, "document": filled.encode()})


def _opportunities(db: sa.Connection) -> Iterator[tuple[str, bytes]]:
    """Yield the path and document of each Opportunity. They are read in pages, because all may not fit into memory."""
    page = sa.text("SELECT path, document FROM opportunity WHERE path > :after ORDER BY path LIMIT :most")
    after = ""
    while rows := db.execute(page, {"after": after, "most": _AT_ONCE}).fetchall():
        yield from ((path, document) for path, document in rows)
        after = rows[-1][0]


def _venue(properties: Mapping[str, Any]) -> str:
    return next(filter(None, map(_venue_key, _members(properties.get("location")))), "")


def _venue_key(location: Any) -> str:
    if not isinstance(location, dict):
        return _text(location)
    identifier = _text(location.get("@id")) or _text(location.get("id")) or _text(location.get("identifier"))
    if identifier:
        return identifier
    address = next(iter(_members(location.get("address"))), None)
    postcode = _text(address.get("postalCode")).upper() if isinstance(address, dict) else ""
    name = _text(location.get("name"))
    return ", ".join(part for part in (name, postcode) if part) if name else ""


def _activities(properties: Mapping[str, Any]) -> list[str]:
    concepts = [concept for name in ("activity", "facilityType") for concept in _members(properties.get(name))]
    return list(dict.fromkeys(filter(None, map(_concept_key, concepts))))


def _concept_key(concept: Any) -> str:
    if not isinstance(concept, dict):
        return _text(concept)
    return _text(concept.get("@id")) or _text(concept.get("id")) or _text(concept.get("prefLabel"))


def _members(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return next(filter(None, map(_text, value)), "")
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return _VOCABULARY.sub(r"https://openactive.io/\1#", " ".join(str(value).split()))
