"""The store in memory, which keeps everything in dicts. The tests compare the SQL stores with it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from openbooking.booking.command import Command
from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import CourtTime, Opportunity, Seller
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import DatedChildren, Holdings, Needs, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import EntryKey, TimetableEntry
from openbooking.booking.rules.opportunities.logistics import changed_paths
from openbooking.booking.rules.orders.erasure import is_erasure_due
from openbooking.booking.store import Feed, FeedWriter, Figures, Reply, decide_one
from openbooking.clock import Clock
from openbooking.openactive.rpde import PAGE_BYTES, Item, is_full
from openbooking.store.change_set import Publication, changes_between
from openbooking.store.documents import encode_record
from openbooking.store.order_events.memory import MemoryEventQueue
from openbooking.store.views.memory import MemoryViews
from openbooking.store.views.results import starts_of

K = TypeVar("K")
V = TypeVar("V")


class MemoryStore:
    """A store that keeps everything in memory until the process ends.

    Attributes:
        activity: The activity log, which a MemoryIdentityStore can share.
        events: The queue of order events.
        views: The views.
    """

    def __init__(self, *, policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        self._policy = policy
        self._writer = writer
        self._clock = clock
        self._records: dict[OrderKey, Record] = {}
        self._opportunities: dict[str, Opportunity] = {}
        self._sellers: dict[str, Seller] = {}
        self._timetable: dict[EntryKey, TimetableEntry] = {}
        self._feeds: dict[Feed, dict[str, tuple[Item, datetime]]] = {}
        self.activity: list[Activity] = []
        self._modified = 0
        self._noted: datetime | None = None
        self.events = MemoryEventQueue()
        self.views = MemoryViews(self._records, self._opportunities, self.activity, clock)

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out a command at once; return its reply."""
        before = self._load(command.needs())
        after, outcome = decide_one(before, command)
        changes = changes_between(before, after, self._writer)
        _update(self._records, changes.records)
        _update(self._opportunities, changes.opportunities)
        _update(self._sellers, changes.sellers)
        _update(self._timetable, changes.timetable)
        self.activity += changes.activity
        self.events.add(changes.events)
        for publication in changes.publications:
            self._publish(publication)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """Return the first items of a feed after a change number."""
        items = sorted((item for item, _ in self._feeds.get(feed, {}).values()), key=lambda item: item.modified)
        found: list[Item] = []
        for item in items:
            if item.modified > after and not is_full(found, limit, most_bytes):
                found.append(item)
        return found

    async def change_numbers(self, feed: Feed, ids: Collection[str]) -> Mapping[str, int]:
        """Return the change numbers of items of a feed."""
        items = self._feeds.get(feed, {})
        return {id_: items[id_][0].modified for id_ in ids if id_ in items}

    async def sellers(self) -> Sequence[Seller]:
        """Return all Sellers, ordered by key."""
        return sorted(self._sellers.values(), key=lambda seller: seller.key)

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """Return the first paths above `after` of the Seller's Opportunities."""
        found = (path for path, item in self._opportunities.items() if item.seller == seller and path > after)
        return sorted(found)[:limit]

    async def order_counts(self) -> Mapping[Partnership, int]:
        """Return how many Orders each Booking Partner has with each Seller."""
        return Counter(record.partnership for record in self._records.values() if record.kind is RecordKind.ORDER)

    async def forget_deleted(self, before: datetime) -> None:
        """Remove feed items that were deleted before that time."""
        for feed, items in self._feeds.items():
            self._feeds[feed] = {
                key: (item, at) for key, (item, at) in items.items() if item.data is not None or at >= before
            }

    async def note_time(self, at: datetime) -> None:
        """Keep a time as the last time at which the store was in use."""
        self._noted = at

    async def noted_time(self) -> datetime | None:
        """Return the time that `note_time` kept last."""
        return self._noted

    async def check(self) -> None:
        """Do nothing: a store in memory always answers."""

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """Count the Leases, and return when the oldest unread item of each feed changed."""
        now = self._clock()
        leases = [record.lease_expires for record in self._records.values() if record.lease_expires]
        live = sum(expires > now for expires in leases)
        oldest: dict[Feed, datetime | None] = {}
        for feed, after in read.items():
            unread = (entry for entry in self._feeds.get(feed, {}).values() if entry[0].modified > after)
            first = min(unread, key=lambda entry: entry[0].modified, default=None)
            oldest[feed] = first and first[1]
        return Figures(live, len(leases) - live, oldest)

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _load(self, needs: Needs) -> Situation:
        now = self._clock()
        whole = Situation(now=now, policy=self._policy, records=self._records, opportunities=self._opportunities)
        keys = {key for key in needs.records if key in self._records}
        paths = {*needs.opportunities, *needs.lookups}
        paths |= self._paths_at(needs.court_times) | self._dated_children(needs.dated_children)
        paths |= self._leaving(whole) if needs.leaving else set()
        if needs.expired:
            keys |= {record.key for record in whole.expired()}
        if needs.over_before:
            keys |= {key for key, record in self._records.items() if is_erasure_due(record, needs.over_before)}
        tops = changed_paths(self._opportunities, needs.announced)
        if needs.sources:
            tops |= {path for path, item in self._opportunities.items() if item.source in needs.sources}
        claimed = needs.claims_on | tops
        if tops:
            claimed |= {
                path
                for path, item in self._opportunities.items()
                if not tops.isdisjoint(parent.path for parent in whole.parents(item))
            }
        if needs.families:
            roots = {self._root(whole, path) for path in needs.families}
            claimed |= {path for path in self._opportunities if self._root(whole, path) in roots}
        keys |= {key for key, record in self._records.items() if any(c.opportunity in claimed for c in record.claims())}
        paths |= claimed
        keys |= {
            key
            for key, record in self._records.items()
            if record.kind is RecordKind.PROPOSAL
            and any(claim.opportunity in needs.proposed_at for claim in record.claims())
        }
        paths |= {path for path, item in self._opportunities.items() if item.parent in needs.children}
        if needs.source_prefixes:
            begins = tuple(needs.source_prefixes)
            paths |= {path for path, item in self._opportunities.items() if item.source.startswith(begins)}
        if needs.below:
            paths |= needs.below | {
                path
                for path, item in self._opportunities.items()
                if not needs.below.isdisjoint(parent.path for parent in whole.parents(item))
            }
        keys |= {
            key
            for key, record in self._records.items()
            if record.partnership in (needs.withheld_from if record.withheld else needs.shown_to)
        }
        filled = set(needs.fills)
        for key in needs.fills_of & keys:
            filled |= self._records[key].wanted().keys()
        filled |= {slot for path in filled for slot in whole.overlapping_slots(path)}
        keys |= {
            key
            for key, record in self._records.items()
            if record.kind is RecordKind.PROPOSAL and any(claim.opportunity in filled for claim in record.claims())
        }
        paths |= {claim.opportunity for key in keys for claim in self._records[key].claims()}
        paths |= {slot for path in paths for slot in whole.overlapping_slots(path)}
        paths |= {slot for path in paths for slot in whole.overlapping_slots(path)}
        opportunities = {path: self._opportunities[path] for path in paths if path in self._opportunities}
        for opportunity in list(opportunities.values()):
            opportunities |= {parent.path: parent for parent in whole.parents(opportunity)}
        timetable = self._entries(needs, now)
        named = needs.sellers | needs.changed_sellers | {key.seller for key in timetable}
        sellers = {item.seller for item in opportunities.values()} | named
        return Situation(
            now=now,
            policy=self._policy,
            records={key: self._records[key] for key in keys},
            opportunities=opportunities,
            spaces={path: self._spaces(path, now) for path in paths | opportunities.keys()},
            sellers={key: self._sellers[key] for key in sellers if key in self._sellers},
            timetable=timetable,
            held={(path, partner): self._held(path, partner, now) for path in paths for partner in needs.holders},
            holdings={partner: self._holdings(partner, now) for partner in needs.holders},
        )

    def _held(self, path: str, partner: str, now: datetime) -> int:
        claims = [c for record in self._records.values() if record.partner == partner for c in record.claims()]
        return sum(c.spaces for c in claims if c.opportunity == path and c.expires is not None and c.expires > now)

    def _holdings(self, partner: str, now: datetime) -> dict[str, Holdings]:
        found: dict[str, Holdings] = {}
        for record in self._records.values():
            if record.partner == partner and record.lease_expires and record.lease_expires > now:
                held = found.get(record.seller, Holdings())
                if record.kind is RecordKind.QUOTE:
                    size = held.size + len(encode_record(record))
                    found[record.seller] = Holdings(held.quotes + 1, held.proposals, size)
                else:
                    found[record.seller] = Holdings(held.quotes, held.proposals + 1, held.size)
        return found

    def _entries(self, needs: Needs, now: datetime) -> dict[EntryKey, TimetableEntry]:
        sellers = set(needs.timetables)
        if needs.due_timetable:
            last = self._policy.last_published_date(now)
            dates = {key: entry.next_date for key, entry in self._timetable.items()}
            due = [(day, key.seller) for key, day in dates.items() if day is not None and day <= last]
            sellers |= {seller for _, seller in sorted(due)[:1]}
        return {key: entry for key, entry in self._timetable.items() if key.seller in sellers}

    def _dated_children(self, periods: Collection[DatedChildren]) -> set[str]:
        dated = ((path, item.parent, starts_of(item)) for path, item in self._opportunities.items())
        starting = [(path, parent, start) for path, parent, start in dated if start is not None]
        return {
            path
            for path, parent, start in starting
            for period in periods
            if parent == period.parent and period.since <= start < period.until
        }

    def _paths_at(self, times: Collection[CourtTime]) -> set[str]:
        taking = {path: item.court_time for path, item in self._opportunities.items() if item.court}
        return {path for path, taken in taking.items() if taken and any(time.overlaps(taken) for time in times)}

    def _leaving(self, whole: Situation) -> set[str]:
        """Return the paths of the Opportunities that leave the open feeds now, with everything below these."""
        leaving = {
            path
            for path, item in self._opportunities.items()
            if item.leaves_feed_at is not None and item.leaves_feed_at <= whole.now
        }
        return leaving | {
            path
            for path, item in self._opportunities.items()
            if not leaving.isdisjoint(parent.path for parent in whole.parents(item))
        }

    def _root(self, whole: Situation, path: str) -> str:
        opportunity = self._opportunities.get(path)
        return (whole.parents(opportunity) or (opportunity,))[-1].path if opportunity else path

    def _spaces(self, path: str, now: datetime) -> Spaces:
        claims = [c for record in self._records.values() for c in record.claims() if c.opportunity == path]
        return Spaces(
            booked=sum(claim.spaces for claim in claims if claim.expires is None),
            leased=sum(claim.spaces for claim in claims if claim.expires is not None and claim.expires > now),
        )

    def _publish(self, publication: Publication) -> None:
        items = self._feeds.setdefault(publication.feed, {})
        known = items.get(publication.id)
        if known and known[0].data == publication.data:
            return
        self._modified += 1
        item = Item(publication.id, publication.kind, self._modified, publication.data)
        items[publication.id] = (item, self._clock())


def _update(kept: dict[K, V], changed: Mapping[K, V | None]) -> None:
    for key, value in changed.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
