"""Access codes, passes and channels, a fresh one for each OrderItem (OB 8.7)."""

import hashlib
from typing import Any

from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Access, Reflected

# Of a million codes of twelve digits, two are the same once in two times; of ten thousand, once in twenty thousand.
_DIGITS = 12


def grant_access(
    rules: AccessRules | None, nonce: str, number: int, own_passes: tuple[Reflected, ...] = ()
) -> Access | None:
    """What lets the attendee of one OrderItem in: unique to the item, and not to be guessed without the nonce.

    `own_passes` are barcodes that the Broker sent, which are returned beside ours (OB-ACC-12).
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
    """Each pass is another way to enter: none repeats the code of another (OB-ACC-03)."""
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
