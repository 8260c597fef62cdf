"""Access codes, passes and channels, a fresh one for each OrderItem (OB 8.7)."""

import hashlib
from typing import Any

from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Access, Reflected

# The probability of two equal codes is 1 in 2 among a million codes, and 1 in 20,000 among ten thousand.
_DIGITS = 12


def grant_access(
    rules: AccessRules | None, nonce: str, number: int, own_passes: tuple[Reflected, ...] = ()
) -> Access | None:
    """Return the access codes, passes and channel of one OrderItem, or None if its attendee needs none.

    The codes are unique to the item, and nobody can guess them without the nonce.

    Args:
        rules: The means by which the Opportunity admits attendees.
        nonce: The secret of the command.
        number: The number of the OrderItem.
        own_passes: The barcodes that the Broker sent, which are returned beside this system's (OB-ACC-12).
    """
    if rules is None:
        return Access(own_passes=own_passes) if own_passes else None
    passes = (_filled(offered, _code(nonce, number, kind)) for kind, offered in _offered_passes(rules).items())
    return Access(
        code=_code(nonce, number, "code") if rules.code else None,
        passes=tuple(passes),
        own_passes=own_passes,
        channel=_filled(rules.channel, _code(nonce, number, "channel")) if rules.channel else None,
    )


def _offered_passes(rules: AccessRules) -> dict[str, dict[str, Any]]:
    """Return the passes by name; each is a way to enter of its own, with a code of its own (OB-ACC-03)."""
    offered: dict[str, dict[str, Any]] = {}
    if rules.pass_image:
        offered["image"] = {"@type": "ImageObject", "url": rules.pass_image}
    if rules.barcode:
        offered["barcode"] = {"@type": "Barcode", "text": "{code}", "beta:codeType": rules.barcode}
        if rules.pass_image:
            offered["barcode"]["url"] = rules.pass_image
    return offered


def _filled(template: Reflected, code: str) -> dict[str, Any]:
    return {
        name: value.replace("{code}", code) if isinstance(value, str) else value for name, value in template.items()
    }


def _code(nonce: str, number: int, kind: str) -> str:
    digest = hashlib.sha256(f"{nonce}/{number}/{kind}".encode()).digest()
    return str(int.from_bytes(digest) % 10**_DIGITS).zfill(_DIGITS)
