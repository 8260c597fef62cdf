"""The Situation a decision is made on, the changes a decision asks for, and `evolve`, which applies one to the other.

All of it is frozen: `evolve` answers with a new Situation, so that decisions can be folded one on the other.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from openbooking.booking.model.opportunity import Opportunity, Seller, is_on_sale, parents_among
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Claim, Record, RecordKind


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a command reads, so that a store can load and lock them before it decides.

    With a record come the Opportunities that it claims. With an Opportunity come all its parents and their Sellers.

    Attributes:
        records: Orders, quotes and proposals, by key.
        opportunities: Opportunities, by path.
        children: Paths; the Opportunities directly below them.
        claims_on: Paths; the records that claim any of them.
        proposed_at: Paths; the OrderProposals that claim any of them.
        announced: Opportunities as they are to be from now on. For those that change (`changed_paths`): all that lies
            below them, and the records that claim any of it.
        sellers: Sellers, by key.
        expired: Some of the records whose hold or lifetime has ended.
        over_before: Some of the Orders with personal data whose last session was over by then.
        sources: All Opportunities of these sources, all that lies below them, and the records that claim any of it.
        source_prefixes: Beginnings of the names of sources; their Opportunities, without records.
        families: Paths; all that shares a root with them, and the records that claim any of it.
        below: Paths; these Opportunities and all that lies below them, without the records that claim any of it.
        lookups: Opportunities that are only read: neither they nor their spaces are changed.
        shown_to: Some of the records of these partnerships that are not withheld.
        withheld_from: Some of the records of these partnerships that are withheld.
        fills: Paths of which the command may sell spaces; the OrderProposals that wait there and hold nothing.
        fills_of: The same for what these records claim.
        holders: Booking Partners; the spaces that they lease at the paths named, and how much they have open in all.
        likely_read_only: Decide without locks first, since most likely nothing changes. If something changes, decide
            again with locks.
    """

    records: frozenset[OrderKey] = frozenset()
    opportunities: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    claims_on: frozenset[str] = frozenset()
    proposed_at: frozenset[str] = frozenset()
    announced: tuple[Opportunity, ...] = ()
    sellers: frozenset[str] = frozenset()
    expired: bool = False
    over_before: datetime | None = None
    sources: frozenset[str] = frozenset()
    source_prefixes: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()
    lookups: frozenset[str] = frozenset()
    shown_to: frozenset[Partnership] = frozenset()
    withheld_from: frozenset[Partnership] = frozenset()
    fills: frozenset[str] = frozenset()
    fills_of: frozenset[OrderKey] = frozenset()
    holders: frozenset[str] = frozenset()
    likely_read_only: bool = False


class Spaces(msgspec.Struct, frozen=True):
    """How many spaces of an Opportunity are sold, and how many are held by leases that have not ended."""

    booked: int = 0
    leased: int = 0


class Holdings(msgspec.Struct, frozen=True):
    """How many quotes and proposals of a Booking Partner hold spaces of one Seller; `size` is the quotes' bytes."""

    quotes: int = 0
    proposals: int = 0
    size: int = 0


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision may look at, as of `now`.

    `touched` collects the paths of Opportunities whose published figures a change may have altered. Of the Booking
    Partners in `Needs.holders`, `held` has the leased spaces by path and partner, and `holdings` what they hold in all,
    by partner and Seller.
    """

    now: datetime
    policy: Policy
    records: Mapping[OrderKey, Record] = {}
    opportunities: Mapping[str, Opportunity] = {}
    spaces: Mapping[str, Spaces] = {}
    sellers: Mapping[str, Seller] = {}
    touched: frozenset[str] = frozenset()
    held: Mapping[tuple[str, str], int] = {}
    holdings: Mapping[str, Mapping[str, Holdings]] = {}

    def parents(self, opportunity: Opportunity) -> tuple[Opportunity, ...]:
        """The parents of an Opportunity, nearest first."""
        return parents_among(self.opportunities, opportunity)

    def on_sale(self, path: str) -> bool:
        """Whether there is an Opportunity with this path, and it is on sale."""
        opportunity = self.opportunities.get(path)
        return opportunity is not None and is_on_sale(opportunity, self.parents(opportunity))

    def paths_from(self, sources: Collection[str]) -> set[str]:
        """Return the paths of the Opportunities from these sources."""
        return {path for path, member in self.opportunities.items() if member.source in sources}

    def expired(self) -> list[Record]:
        """The records whose hold or lifetime has ended."""
        return [record for record in self.records.values() if record.ends and record.ends <= self.now]

    def live(self, record: Record | None) -> bool:
        """Whether the record holds a lease that has not ended."""
        return bool(record and record.lease_expires and record.lease_expires > self.now)

    def spaces_held(self, record: Record | None) -> Mapping[str, int]:
        """How many spaces the record holds by its Lease, by the paths of their Opportunities."""
        return {claim.opportunity: claim.spaces for claim in record.claims()} if record and self.live(record) else {}


class RecordSet(msgspec.Struct, frozen=True):
    """The record behind an Order UUID becomes this one, or ceases to be (None)."""

    key: OrderKey
    record: Record | None


class OpportunitySet(msgspec.Struct, frozen=True):
    """An Opportunity is published, anew or in place of what it was."""

    opportunity: Opportunity


class OpportunityRemoved(msgspec.Struct, frozen=True):
    """An Opportunity is withdrawn."""

    path: str


class SellerSet(msgspec.Struct, frozen=True):
    """A Seller is added, or replaces what it was."""

    seller: Seller


Change = RecordSet | OpportunitySet | OpportunityRemoved | SellerSet


def evolve(situation: Situation, change: Change) -> Situation:
    """What the change makes of the situation. Spaces follow from the claims of records, and from nothing else."""
    match change:
        case RecordSet():
            return _with_record(situation, change)
        case OpportunitySet(opportunity):
            evolved = msgspec.structs.replace(
                situation,
                opportunities={**situation.opportunities, opportunity.path: opportunity},
                spaces={opportunity.path: Spaces(), **situation.spaces},
                touched=situation.touched | {opportunity.path, *_embedding(situation, opportunity)},
            )
            return _with_sale_of_children(situation, evolved, opportunity)
        case OpportunityRemoved(path):
            left = {key: value for key, value in situation.opportunities.items() if key != path}
            return msgspec.structs.replace(situation, opportunities=left, touched=situation.touched | {path})
        case SellerSet(seller):
            return msgspec.structs.replace(situation, sellers={**situation.sellers, seller.key: seller})


def _with_sale_of_children(before: Situation, after: Situation, parent: Opportunity) -> Situation:
    """With it, all that lies below a parent enters the open feeds or leaves them."""
    if not parent.type.has_children or before.on_sale(parent.path) is after.on_sale(parent.path):
        return after
    below = {path for path, item in after.opportunities.items() if parent in after.parents(item)}
    return msgspec.structs.replace(after, touched=after.touched | below)


def _embedding(situation: Situation, parent: Opportunity) -> list[str]:
    """The paths of what is published with this parent within, so that it is published anew."""
    if not parent.type.embedded:
        return []
    return [
        path
        for path, child in situation.opportunities.items()
        if child.parent == parent.path and child.type.embeds_parent
    ]


def _with_record(situation: Situation, change: RecordSet) -> Situation:
    before = situation.records.get(change.key)
    given_up = before.claims() if before else ()
    taken = change.record.claims() if change.record else ()
    records = dict(situation.records)
    if change.record:
        records[change.key] = change.record
    else:
        records.pop(change.key, None)
    if given_up == taken:
        # Nothing that is published of an Opportunity follows from the rest of a record.
        return msgspec.structs.replace(situation, records=records)
    spaces = dict(situation.spaces)
    _count(spaces, given_up, -1, situation.now)
    _count(spaces, taken, 1, situation.now)
    touched = situation.touched | {claim.opportunity for claim in (*given_up, *taken)}
    evolved = msgspec.structs.replace(situation, records=records, spaces=spaces, touched=touched)
    partner = change.key.partner
    if partner not in situation.holdings:
        return evolved
    by_seller = situation.holdings[partner]
    for sign, record in ((-1, before), (1, change.record)):
        if record is not None and situation.live(record):
            by_seller = {**by_seller, record.seller: _with_one(by_seller.get(record.seller, Holdings()), record, sign)}
    return msgspec.structs.replace(
        evolved,
        held=_held_after(situation, partner, given_up, taken),
        holdings={**situation.holdings, partner: by_seller},
    )


def _with_one(held: Holdings, record: Record, sign: int) -> Holdings:
    """One record more or less, without its size, which is known once it is stored."""
    if record.kind is RecordKind.QUOTE:
        return Holdings(held.quotes + sign, held.proposals, held.size)
    return Holdings(held.quotes, held.proposals + sign, held.size)


def _held_after(
    situation: Situation, partner: str, given_up: Iterable[Claim], taken: Iterable[Claim]
) -> Mapping[tuple[str, str], int]:
    held = dict(situation.held)
    for sign, claims in ((-1, given_up), (1, taken)):
        for claim in claims:
            if claim.expires is not None and claim.expires > situation.now:
                key = (claim.opportunity, partner)
                held[key] = held.get(key, 0) + sign * claim.spaces
    return held


def _count(spaces: dict[str, Spaces], claims: Iterable[Claim], sign: int, now: datetime) -> None:
    for claim in claims:
        held = spaces.get(claim.opportunity, Spaces())
        if claim.expires is None:
            spaces[claim.opportunity] = Spaces(held.booked + sign * claim.spaces, held.leased)
        elif claim.expires > now:
            spaces[claim.opportunity] = Spaces(held.booked, held.leased + sign * claim.spaces)
