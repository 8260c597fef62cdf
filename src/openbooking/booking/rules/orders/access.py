"""Access codes, access passes and access channels, which admit the attendee of one OrderItem (OB 8.7)."""

import hashlib
from typing import Any

from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Access, Reflected

# With twelve digits, two codes are equal with a probability of 1/2 in a million codes, and of 1/20,000 in 10,000.
_DIGITS = 12


def grant_access(
    rules: AccessRules | None, nonce: str, number: int, own_passes: tuple[Reflected, ...] = ()
) -> Access | None:
    """Return the access code, passes and channel of one OrderItem, or None if the attendee needs none of them.

    Each item has codes of its own, which cannot be guessed without the nonce.

    Args:
        rules: The means by which the Opportunity admits attendees; None if it admits all attendees.
        nonce: The secret of the command.
        number: The number of the OrderItem.
        own_passes: The barcodes that the Broker sent. They are returned together with those of this system (OB-ACC-12).
    """
    if rules is None:
        return Access(own_passes=own_passes) if own_passes else None
    passes = (_fill_in(offered, _code(nonce, number, kind)) for kind, offered in _offered_passes(rules).items())
    return Access(
        code=_code(nonce, number, "code") if rules.code else None,
        passes=tuple(passes),
        own_passes=own_passes,
        channel=_fill_in(rules.channel, _code(nonce, number, "channel")) if rules.channel else None,
    )


def _offered_passes(rules: AccessRules) -> dict[str, dict[str, Any]]:
    """Return the templates of the passes, by name. Each pass alone admits the attendee (OB-ACC-03)."""
    offered: dict[str, dict[str, Any]] = {}
    if rules.pass_image:
        offered["image"] = {"@type": "ImageObject", "url": rules.pass_image}
    if rules.barcode:
        offered["barcode"] = {"@type": "Barcode", "text": "{code}", "beta:codeType": rules.barcode}
        if rules.pass_image:
            offered["barcode"]["url"] = rules.pass_image
    return offered


def _fill_in(template: Reflected, code: str) -> dict[str, Any]:
    return {
        name: value.replace("{code}", code) if isinstance(value, str) else value for name, value in template.items()
    }


def _code(nonce: str, number: int, kind: str) -> str:
    digest = hashlib.sha256(f"{nonce}/{number}/{kind}".encode()).digest()
    return str(int.from_bytes(digest) % 10**_DIGITS).zfill(_DIGITS)
