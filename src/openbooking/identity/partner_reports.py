"""Reports about Booking Partners for administrators: rows of text cells, as `openbooking partner` prints them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.order import Partnership
from openbooking.booking.store import Store
from openbooking.clock import Clock
from openbooking.identity.partner_administration import PartnerAdministration
from openbooking.identity.partners.credentials import (
    CredentialKind,
    current_digest,
    current_last_used,
    former_credential,
)
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.identity.scopes import write_scopes
from openbooking.identity.store import IdentityStore
from openbooking.openactive.ids import OfferRef

Row = tuple[str, ...]
OrderCounts = Mapping[Partnership, int]

_FORMER = "former"


class PartnerReports:
    """Makes reports about Booking Partners."""

    def __init__(
        self, store: IdentityStore, bookings: Store, administration: PartnerAdministration, clock: Clock
    ) -> None:
        self._store = store
        self._bookings = bookings
        self._administration = administration
        self._clock = clock

    async def details(self, key: str) -> list[Row]:
        """Return all facts about a partner. Each row is a name with its values. Raise UnknownPartnerError.

        The row `Seller` has the key of the Seller, the state of the grant, the day and author of the last change, and
        the scopes. Rows `terms` follow the row of their Seller: the key of the Seller, the term and its value.
        """
        partner = await self._administration.partner(key)
        grants = await self._store.find(Grant, partner=key)
        now = self._clock()
        given = [kind.label for kind in CredentialKind if current_digest(partner, kind)]
        return [
            ("key", partner.key),
            ("name", partner.name),
            *(("web site, as it says", site) for site in (partner.site,) if site),
            *(("contact", contact) for contact in partner.contacts),
            *(("redirect URI", uri) for uri in partner.redirect_uris),
            ("credentials", ", ".join(given) or "none"),
            *_credentials(partner, now),
            ("registered", f"{partner.registered:%Y-%m-%d %H:%M %Z}, by {partner.registered_by}"),
            ("state", _state(partner)),
            ("last used", _last_used(partner)),
            ("Orders", str(_count(partner, await self._bookings.order_counts()))),
            *(row for grant in grants for row in _grant(grant)),
        ]

    async def overview(self) -> list[Row]:
        """Return a row for each partner: key, name, Sellers, state, Orders, day last used, former credentials."""
        orders, now = await self._bookings.order_counts(), self._clock()
        grants = await self._store.find(Grant)
        return [
            (
                partner.key,
                partner.name,
                describe_sellers([grant for grant in grants if grant.partner == partner.key]),
                _state(partner),
                str(_count(partner, orders)),
                _last_used(partner),
                *(" ".join(row) for row in _credentials(partner, now) if row[0].startswith(_FORMER)),
            )
            for partner in await self._store.find(Partner)
        ]


def describe_sellers(grants: Sequence[Grant]) -> str:
    """Return the Sellers that a partner with these grants may book for, separated by commas; empty if there is none."""
    sellers = ",".join(_seller(grant) for grant in grants if grant.state is not GrantState.REVOKED)
    revoked = [grant.seller for grant in grants if grant.state is GrantState.REVOKED]
    if EVERY_SELLER not in revoked and any(grant.seller == EVERY_SELLER for grant in grants):
        sellers += "".join(f",not {seller}" for seller in revoked)
    return sellers


def _credentials(partner: Partner, now: datetime) -> list[Row]:
    """Return a row for each valid credential: the kind, the end of a former credential, and the last use."""
    described: list[Row] = []
    for kind in CredentialKind:
        former = former_credential(partner, kind)
        if current_digest(partner, kind):
            described.append((kind.label, _format_use(current_last_used(partner, kind))))
        if former and now < former.ends:
            described.append(
                (f"{_FORMER} {kind.label}", f"until {_format_minute(former.ends)}", _format_use(former.last_used))
            )
    return described


def _grant(grant: Grant) -> list[Row]:
    day, scopes = f"{grant.changed:%Y-%m-%d}", write_scopes(grant.scopes)
    return [
        ("Seller", grant.seller, grant.state, day, grant.changed_by, scopes),
        *_terms(grant.seller, grant.terms),
    ]


def _seller(grant: Grant) -> str:
    return grant.seller if grant.state is GrantState.ACTIVE else f"{grant.seller} ({grant.state})"


def _state(partner: Partner) -> str:
    return "suspended" if partner.suspended else "active"


def _last_used(partner: Partner) -> str:
    return f"{partner.last_used:%Y-%m-%d}" if partner.last_used else "never"


def _count(partner: Partner, orders: OrderCounts) -> int:
    return sum(count for partnership, count in orders.items() if partnership.partner == partner.key)


def _terms(seller: str, terms: GrantTerms) -> list[Row]:
    """Return a row for each term that differs from its default."""
    sets: dict[str, Iterable[str] | None] = {
        "dynamic account": terms.dynamic_accounts,
        "only venue": terms.venues,
        "only activity": terms.activities,
        "only Offer": None if terms.offers is None else map(_format_offer, terms.offers),
    }
    numbers = {"open quotes": terms.open_quotes, "open proposals": terms.open_proposals}
    found = [("offer overrides", "agreed")] if terms.offer_overrides else []
    found += [(name, value) for name, values in sets.items() for value in sorted(values or ())]
    found += [(name, str(number)) for name, number in numbers.items() if number is not None]
    return [("terms", seller, *line) for line in found]


def _format_offer(ref: OfferRef) -> str:
    return f"{ref.owner}#/offers/{ref.key}"


def _format_use(instant: datetime | None) -> str:
    return f"last used {_format_minute(instant)}" if instant else "last used never"


def _format_minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
