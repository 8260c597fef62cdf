"""Random items whose properties are as frequent as in real feeds."""

import json
import random
from collections.abc import Mapping
from typing import Any

from support.importing.published_items import FIELD_USAGE

Usage = Mapping[str, Mapping[str, float]]

KINDS = ("Event", "FacilityUse", "IndividualFacilityUse", "Slot")
# For where the report of real feeds is not at hand.
_MADE_UP: Usage = {
    "Event": {"@type": 100, "@id": 54, "name": 99, "offers": 60, "location": 90, "organizer": 95, "activity": 30},
    "FacilityUse": {"@type": 100, "@id": 100, "name": 100, "location": 100, "provider": 100},
    "IndividualFacilityUse": {"@type": 100, "@id": 100, "name": 100, "provider": 90},
    "Slot": {"@type": 100, "@id": 100, "startDate": 100, "offers": 100, "remainingUses": 100, "maximumUses": 41},
    "Offer": {"@type": 100, "@id": 32, "price": 100, "priceCurrency": 99, "name": 86},
    "Place": {"@type": 100, "name": 99, "address": 98, "geo": 97},
    "Organization": {"@type": 100, "name": 100, "url": 60},
}
_EMBEDDED = {
    "offers": "Offer", "location": "Place", "address": "PostalAddress", "geo": "GeoCoordinates", "image": "ImageObject",
    "logo": "ImageObject", "organizer": "Organization", "provider": "Organization", "activity": "Concept",
    "facilityType": "Concept", "eventSchedule": "Schedule", "leader": "Person", "programme": "Brand",
    "contactPoint": "ContactPoint", "openingHoursSpecification": "OpeningHoursSpecification",
}  # fmt: skip
_ARRAYS = {"offers", "activity", "facilityType", "image", "leader", "eventSchedule", "openingHoursSpecification"}
_TEXTS = ("Yoga", "Größe", "\N{PERSON WITH BALL}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}", 'a "quote" \\', "x" * 400, "")
_NUMBERS: tuple[Any, ...] = (0, 1, 5.5, -0.0001, 2**53 + 1, 2**63, 2**64 + 1, None, True)


def usage() -> tuple[Usage, str]:
    """Return how often each property occurs, and the origin of these numbers."""
    if FIELD_USAGE.exists():
        return json.loads(FIELD_USAGE.read_bytes())["types"], str(FIELD_USAGE)
    return _MADE_UP, f"made-up shares, because {FIELD_USAGE} is not there"


def shaped(type_: str, shares: Usage, chance: random.Random) -> dict[str, Any]:
    """Return a random object of a type."""
    thing: dict[str, Any] = {}
    for name, share in shares.get(type_, {"@type": 100.0}).items():
        if chance.random() * 100 >= share:
            continue
        if name == "@type":
            thing[name] = type_
        elif name in _EMBEDDED:
            embedded = shaped(_EMBEDDED[name], shares, chance)
            thing[name] = [embedded] if name in _ARRAYS else embedded
        else:
            thing[name] = chance.choice(chance.choice((_TEXTS, _NUMBERS)))
    return thing
