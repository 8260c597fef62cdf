"""The Situation on which a command is decided, the changes of a decision, and `evolve`, which applies a change.

`evolve` also counts the sold and leased spaces of each Opportunity (`model.spaces`), of which `rules.capacity` computes
the spaces left. All structs are frozen: `evolve` returns a new Situation, on which the next command of a batch is
decided.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import CourtTime, Opportunity, Seller, is_on_sale, parents_among
from openbooking.booking.model.order import BookedItem, OrderKey, Partnership
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Claim, Record, RecordKind
from openbooking.booking.model.spaces import Spaces, busiest_spaces
from openbooking.booking.model.timetable import EntryKey, TimetableEntry


class DatedChildren(NamedTuple):
    """The children of an Opportunity that start in a period.

    Attributes:
        parent: The path of the parent.
        since: The start of the period.
        until: The end of the period, which is not part of it.
    """

    parent: str
    since: datetime
    until: datetime


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a command reads. A store loads and locks these rows before it decides the command.

    Together with a record, a store loads the Opportunities that the record claims. Together with an Opportunity, it
    loads all parents and Sellers of the Opportunity. Together with a Slot that shares a court, it loads and locks the
    Slots that overlap the Slot, and loads the Slots that overlap these.

    Attributes:
        records: Orders, quotes and proposals, by key.
        opportunities: Opportunities, by path.
        children: Paths. The Opportunities directly below these paths.
        claims_on: Paths. The records that claim any of these Opportunities.
        proposed_at: Paths. The OrderProposals that claim any of these Opportunities.
        announced: Opportunities in the versions that the command publishes. For each one with a change that concerns
            its Orders (`logistics.changed_paths`): everything below it, and the records that claim any of these.
        sellers: Sellers, by key.
        leaving: True for some of the Opportunities that leave the open feeds now, and everything below these.
        changed_sellers: Sellers that the command changes, by key. They are locked, unlike those of `sellers`.
        expired: True for some of the records whose hold or lifetime has ended.
        over_before: A time. Some of the Orders with personal data whose retention period began by then.
        sources: Names of sources. Their Opportunities, everything below, and the records that claim any of these.
        source_prefixes: Prefixes of names of sources. The Opportunities of these sources, without records.
        families: Paths. All Opportunities with the same topmost parent, and the records that claim any of these.
        below: Paths. These Opportunities and everything below, without records.
        court_times: Times of courts. The Slots of these courts at these times.
        timetables: Keys of Sellers. All entries of their timetables.
        due_timetable: True for one Seller, and its timetable, with an entry that has dates to publish now.
        dated_children: Opportunities without a date, or with a start in a period, directly below some paths.
        lookups: Paths. These Opportunities, which are only read: neither they nor their spaces change.
        shown_to: Partnerships. Some of their records that are not withheld.
        withheld_from: Partnerships. Some of their records that are withheld.
        fills: Paths of Opportunities whose spaces the command may sell. The OrderProposals for them without a hold.
        fills_of: Keys of records. The OrderProposals without a hold for the Opportunities that these records claim.
        holders: Booking Partners. All their holdings, and the spaces that they lease at the loaded paths.
        likely_read_only: Whether the command most likely changes nothing. The store decides it without locks first,
            and again with locks if something changes.
    """

    records: frozenset[OrderKey] = frozenset()
    opportunities: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    claims_on: frozenset[str] = frozenset()
    proposed_at: frozenset[str] = frozenset()
    announced: tuple[Opportunity, ...] = ()
    sellers: frozenset[str] = frozenset()
    leaving: bool = False
    changed_sellers: frozenset[str] = frozenset()
    expired: bool = False
    over_before: datetime | None = None
    sources: frozenset[str] = frozenset()
    source_prefixes: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()
    court_times: frozenset[CourtTime] = frozenset()
    timetables: frozenset[str] = frozenset()
    due_timetable: bool = False
    dated_children: frozenset[DatedChildren] = frozenset()
    lookups: frozenset[str] = frozenset()
    shown_to: frozenset[Partnership] = frozenset()
    withheld_from: frozenset[Partnership] = frozenset()
    fills: frozenset[str] = frozenset()
    fills_of: frozenset[OrderKey] = frozenset()
    holders: frozenset[str] = frozenset()
    likely_read_only: bool = False


class Holdings(msgspec.Struct, frozen=True):
    """The numbers of quotes and proposals by which a Booking Partner holds spaces of one Seller.

    `size` is the number of bytes that the quotes take.
    """

    quotes: int = 0
    proposals: int = 0
    size: int = 0


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision may depend on.

    Attributes:
        now: The time of the decision.
        policy: The policy.
        records: The loaded records, by key.
        opportunities: The loaded Opportunities, by path.
        spaces: The sold and leased spaces of the loaded Opportunities, by path.
        sellers: The loaded Sellers, by key.
        touched: The paths of the Opportunities whose feed items the store writes again, because of a change.
        held: The leased spaces of the Booking Partners in `Needs.holders`, by path and partner.
        holdings: The holdings of these Booking Partners, by partner and Seller.
        timetable: The loaded entries of timetables, by key.
        sold_elsewhere: The spaces that other software of the operator has sold, by path, if there are any: at least 0.
        activity: The entries that the decisions since the situation was loaded add to the activity log.
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
    timetable: Mapping[EntryKey, TimetableEntry] = {}
    sold_elsewhere: Mapping[str, int] = {}
    activity: tuple[Activity, ...] = ()

    def parents(self, opportunity: Opportunity) -> tuple[Opportunity, ...]:
        """Return the parents of an Opportunity, nearest first."""
        return parents_among(self.opportunities, opportunity)

    def on_sale(self, path: str) -> bool:
        """Return whether an Opportunity with this path exists and is on sale."""
        opportunity = self.opportunities.get(path)
        return opportunity is not None and is_on_sale(opportunity, self.parents(opportunity))

    def own_claims(self, record: Record) -> set[str]:
        """Return the paths that the record claims, without those that another Seller sells now, after a hand-over.

        Orders stay with the Seller from whom they were booked.
        """
        claimed = (claim.opportunity for claim in record.claims())
        return {path for path in claimed if path not in self.opportunities or self._sells(record.seller, path)}

    def _sells(self, seller: str, path: str) -> bool:
        opportunity = self.opportunities.get(path)
        return opportunity is not None and opportunity.seller == seller

    def opportunity_of(self, item: BookedItem) -> Opportunity:
        """Return the Opportunity of an item as it is now; as it was booked if its Seller sells it no more."""
        booked = item.opportunity
        return self.opportunities[booked.path] if self._sells(booked.seller, booked.path) else booked

    def paths_from(self, sources: Collection[str]) -> set[str]:
        """Return the paths of the Opportunities from these sources."""
        return {path for path, member in self.opportunities.items() if member.source in sources}

    def expired(self) -> list[Record]:
        """Return the records whose hold or lifetime has ended."""
        return [record for record in self.records.values() if record.ends and record.ends <= self.now]

    def holds_spaces(self, record: Record | None) -> bool:
        """Return whether the record has a Lease or another hold of spaces that has not ended."""
        return bool(record and record.lease_expires and record.lease_expires > self.now)

    def overlapping_slots(self, path: str) -> dict[str, CourtTime]:
        """Return the times of the other Slots that overlap a Slot on its court, by path."""
        opportunity = self.opportunities.get(path)
        time = opportunity.court_time if opportunity else None
        if time is None:
            return {}
        others = (other for other in self.opportunities.values() if other.court == time.court and other.path != path)
        times = {other.path: other.court_time for other in others}
        return {slot: other for slot, other in times.items() if other and time.overlaps(other)}

    def spaces_taken(self, path: str, changes: Mapping[str, Spaces] | None = None) -> Spaces:
        """Return the numbers of spaces that are not for sale any more: sold and leased ones.

        If the Opportunity is a Slot that shares a court, the spaces of the Slots that overlap it count, too.

        Args:
            path: The path of the Opportunity.
            changes: Numbers to add to those of the situation, by path. Negative numbers release spaces that an Order
                has itself.
        """
        opportunity = self.opportunities.get(path)
        time = opportunity.court_time if opportunity else None
        if time is None:
            return self._spaces_after(path, changes)
        times = {path: time, **self.overlapping_slots(path)}
        return busiest_spaces(time, [(other, self._spaces_after(slot, changes)) for slot, other in times.items()])

    def spaces_of(self, path: str) -> Spaces:
        """Return the numbers of sold and leased spaces of the Opportunity itself, in Orders and quotes."""
        return self.spaces.get(path, Spaces())

    def _spaces_after(self, path: str, changes: Mapping[str, Spaces] | None) -> Spaces:
        counted = self.spaces_of(path)
        if path in self.sold_elsewhere:
            counted = counted.plus(Spaces(booked=self.sold_elsewhere[path]))
        return counted.plus(changes[path]) if changes and path in changes else counted

    def spaces_held(self, record: Record | None) -> Mapping[str, int]:
        """Return the numbers of spaces that the record holds, by the paths of the Opportunities."""
        return (
            {claim.opportunity: claim.spaces for claim in record.claims()}
            if record and self.holds_spaces(record)
            else {}
        )

    def released_hold(self, record: Record | None) -> dict[str, Spaces]:
        """Return the changes of `spaces_taken` by which the spaces that the record holds are for sale."""
        return {path: Spaces(leased=-spaces) for path, spaces in self.spaces_held(record).items()}


class RecordSet(msgspec.Struct, frozen=True):
    """The change that stores the record with the key, or removes the record if `record` is None."""

    key: OrderKey
    record: Record | None


class OpportunitySet(msgspec.Struct, frozen=True):
    """The change that stores an Opportunity, or replaces its stored version."""

    opportunity: Opportunity


class OpportunityRemoved(msgspec.Struct, frozen=True):
    """The change that removes an Opportunity."""

    path: str


class SellerSet(msgspec.Struct, frozen=True):
    """The change that stores a Seller, or replaces its stored version."""

    seller: Seller


class EntrySet(msgspec.Struct, frozen=True):
    """The change that stores an entry of a timetable, or removes the entry if `entry` is None."""

    key: EntryKey
    entry: TimetableEntry | None


class OrderRead(msgspec.Struct, frozen=True):
    """The change that only adds an entry about an Order to the activity log: somebody has read its personal data."""

    key: OrderKey


Change = RecordSet | OpportunitySet | OpportunityRemoved | SellerSet | EntrySet | OrderRead


def evolve(situation: Situation, change: Change) -> Situation:
    """Return the situation after the change. The numbers of spaces depend on the claims of records only."""
    match change:
        case RecordSet():
            return _set_record(situation, change)
        case OpportunitySet(opportunity):
            evolved = msgspec.structs.replace(
                situation,
                opportunities={**situation.opportunities, opportunity.path: opportunity},
                spaces={opportunity.path: Spaces(), **situation.spaces},
                touched=situation.touched | {opportunity.path, *_paths_embedding(situation, opportunity)},
            )
            moved = _touch_sharing(situation, evolved, opportunity.path)
            return _touch_children(situation, moved, opportunity)
        case OpportunityRemoved(path):
            left = {key: value for key, value in situation.opportunities.items() if key != path}
            removed = msgspec.structs.replace(situation, opportunities=left, touched=situation.touched | {path})
            return _touch_sharing(situation, removed, path)
        case SellerSet(seller):
            return msgspec.structs.replace(situation, sellers={**situation.sellers, seller.key: seller})
        case EntrySet(key, entry):
            others = {known: value for known, value in situation.timetable.items() if known != key}
            return msgspec.structs.replace(situation, timetable=others | {key: entry} if entry else others)
        case OrderRead():
            return situation


def evolve_all(situation: Situation, changes: Iterable[Change]) -> Situation:
    """Return the situation after all changes."""
    for change in changes:
        situation = evolve(situation, change)
    return situation


def _touch_sharing(before: Situation, after: Situation, path: str) -> Situation:
    """Return the situation after the change of a Slot, with the Slots touched whose spaces left depend on it."""
    old, new = before.opportunities.get(path), after.opportunities.get(path)
    times = [member.court_time if member else None for member in (old, new)]
    if times[0] == times[1] or after.spaces.get(path, Spaces()) == Spaces():
        return after
    sharing = {*before.overlapping_slots(path), *after.overlapping_slots(path)}
    return msgspec.structs.replace(after, touched=after.touched | sharing)


def _touch_children(before: Situation, after: Situation, parent: Opportunity) -> Situation:
    """Return the situation after the change, with everything below the parent touched if its sale changes."""
    if not parent.type.has_children or before.on_sale(parent.path) is after.on_sale(parent.path):
        return after
    below = {path for path, item in after.opportunities.items() if parent in after.parents(item)}
    return msgspec.structs.replace(after, touched=after.touched | below)


def _paths_embedding(situation: Situation, parent: Opportunity) -> list[str]:
    """Return the paths of the children whose feed items embed this parent."""
    if not parent.type.embedded:
        return []
    return [
        path
        for path, child in situation.opportunities.items()
        if child.parent == parent.path and child.type.embeds_parent
    ]


def _set_record(situation: Situation, change: RecordSet) -> Situation:
    before = situation.records.get(change.key)
    released = before.claims() if before else ()
    taken = change.record.claims() if change.record else ()
    records = dict(situation.records)
    if change.record:
        records[change.key] = change.record
    else:
        records.pop(change.key, None)
    if released == taken:
        # No feed item of an Opportunity changes, because it depends on the claims of records only.
        return msgspec.structs.replace(situation, records=records)
    spaces = dict(situation.spaces)
    _count(spaces, released, -1, situation.now)
    _count(spaces, taken, 1, situation.now)
    changed = {claim.opportunity for claim in (*released, *taken)}
    sharing = {slot for path in changed for slot in situation.overlapping_slots(path)}
    touched = situation.touched | changed | sharing
    evolved = msgspec.structs.replace(situation, records=records, spaces=spaces, touched=touched)
    partner = change.key.partner
    if partner not in situation.holdings:
        return evolved
    by_seller = situation.holdings[partner]
    for sign, record in ((-1, before), (1, change.record)):
        if record is not None and situation.holds_spaces(record):
            by_seller = {
                **by_seller,
                record.seller: _count_record(by_seller.get(record.seller, Holdings()), record, sign),
            }
    return msgspec.structs.replace(
        evolved,
        held=_held_after(situation, partner, released, taken),
        holdings={**situation.holdings, partner: by_seller},
    )


def _count_record(held: Holdings, record: Record, sign: int) -> Holdings:
    """Return the holdings with one record more or less. The store counts the size, because it writes the bytes."""
    if record.kind is RecordKind.QUOTE:
        return Holdings(held.quotes + sign, held.proposals, held.size)
    return Holdings(held.quotes, held.proposals + sign, held.size)


def _held_after(
    situation: Situation, partner: str, released: Iterable[Claim], taken: Iterable[Claim]
) -> Mapping[tuple[str, str], int]:
    held = dict(situation.held)
    for sign, claims in ((-1, released), (1, taken)):
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
