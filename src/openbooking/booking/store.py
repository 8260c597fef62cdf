"""The Store protocol, and `fold`, by which every store decides a batch of commands.

A store takes the waiting commands, and loads and locks everything that they need, in the order of keys. It decides the
commands one after the other, writes all changes, commits once and returns the replies.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Needs, Situation, evolve
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.activity_log import activities
from openbooking.openactive.rpde import PAGE_BYTES, Item

Reply = TypeVar("Reply")


class StoreUnavailableError(Exception):
    """The database cannot be reached, or does not answer in time.

    The command has changed nothing, or the answer of the database to its commit was lost. The caller can repeat the
    command, or read the record.
    """


class Feed(NamedTuple):
    """The name of an open feed, or the name of a feed of one Booking Partner with the key of the partner."""

    name: str
    partner: str = ""


class Figures(NamedTuple):
    """Figures for the monitoring of the system.

    Attributes:
        leases: The number of holds that have not ended.
        ended_leases: The number of ended holds that the sweeper has not removed yet.
        oldest_unread: For each feed, when the oldest item changed that its reader has not read; None if all are read.
    """

    leases: int
    ended_leases: int
    oldest_unread: Mapping[Feed, datetime | None]


ORDERS = "orders"
ORDER_PROPOSALS = "order-proposals"


class FeedWriter(Protocol):
    """Writes the `data` of feed items as JSON-LD bytes, which the store keeps."""

    def opportunity(
        self, opportunity: Opportunity, spaces: Spaces, parents: Sequence[Opportunity], seller: Seller
    ) -> bytes:
        """Return the `data` of an Opportunity in its open feed."""
        ...

    def opportunity_id(self, path: str) -> str:
        """Return the `@id` of the Opportunity in its open feed."""
        ...

    def order(self, record: OrderRecord) -> bytes:
        """Return the `data` of an Order in the Orders feed of its partner."""
        ...

    def proposal(self, record: ProposalRecord) -> bytes:
        """Return the `data` of an OrderProposal in the feed of its partner."""
        ...


class Store(Protocol):
    """The store of a Booking System: it executes commands and serves feeds.

    A command that fails changes nothing, and does not affect other commands. A store returns a reply after the changes
    are on disk. It never sells a space twice, with any number of concurrent callers and processes, and after any crash.
    """

    async def execute(self, command: Command[Reply]) -> Reply:
        """Make all changes of a command, or none, and return its reply.

        Raises:
            OpenBookingError: The command is refused.
            StoreUnavailableError: The database cannot be reached, or does not answer in time.
        """
        ...

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """Return a page of a feed: the items after the change number `after`, in the order of the feed.

        A reader that follows the change numbers ends with exactly the items of the store, even while commands are
        executed.

        Args:
            feed: The feed.
            after: The change number of the last item of the page before; 0 for the first page.
            limit: The largest number of items.
            most_bytes: The page ends with the item with which its `data` reaches this number of bytes. A page has at
                least one item, and further items are not read into memory.
        """
        ...

    async def change_numbers(self, feed: Feed, ids: Collection[str]) -> Mapping[str, int]:
        """Return the change numbers of items of a feed, by id.

        A reader has read the latest version of an item if it has read up to its change number. Items that the feed does
        not have, or that have no change number yet, are left out.
        """
        ...

    async def sellers(self) -> Sequence[Seller]:
        """Return all Sellers, in the order of their keys."""
        ...

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """Return the next paths of the Seller's Opportunities, on sale or not, in the order of the paths.

        Args:
            seller: The key of the Seller.
            after: The path after which the next paths come; empty for the first ones.
            limit: The largest number of paths.
        """
        ...

    async def order_counts(self) -> Mapping[Partnership, int]:
        """Return the number of Orders of each Booking Partner, and of the front desk, with each Seller.

        Deleted Orders do not count.
        """
        ...

    async def forget_deleted(self, before: datetime) -> None:
        """Remove feed items that were deleted before that time, and remove erased data from the disk.

        The upkeep calls this method every hour. If the removal takes too long, the next call continues it. Feeds keep
        deleted items for at least seven days (OB-FEED-19).
        """
        ...

    async def note_time(self, at: datetime) -> None:
        """Store the time of a trusted clock, as the last time at which the store was used."""
        ...

    async def noted_time(self) -> datetime | None:
        """Return the last time that `note_time` stored, or None. `openbooking.clock` checks the clock by this time."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the database answers and has the schema of this version."""
        ...

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """Return the figures for the monitoring of the system.

        Args:
            read: The last change number that the reader of each feed has read.
        """
        ...

    async def close(self) -> None:
        """Finish the commands that were accepted, and disconnect from the database."""
        ...


@runtime_checkable
class StoreWithOtherSales(Protocol):
    """A store that counts the spaces which other software of the operator sells."""

    async def paths_shown_wrong(self, limit: int) -> Sequence[str]:
        """Return paths of Opportunities whose feed item lacks a change of the spaces that are sold elsewhere."""
        ...


# The reply to a command of any type, or the exception that the store raises to its caller.
Outcome: TypeAlias = Any


def decide_one(situation: Situation, command: Command[Reply]) -> tuple[Situation, Reply | Exception]:
    """Return the situation after the command, and its reply, or the exception that it raises.

    A command that raises an exception changes nothing.
    """
    evolved = situation
    try:
        decision = command.decide(situation)
        for change in decision.changes:
            evolved = evolve(evolved, change)
        if command.action and decision.changes:
            entries = activities(command.action, command.actor, situation, decision.changes)
            evolved = replace(evolved, activity=evolved.activity + entries)
    except Exception as fault:  # noqa: BLE001 - an error in one command must not affect the other commands of its batch
        return situation, fault
    return evolved, decision.reply


def fold(situation: Situation, commands: Sequence[Command[Any]]) -> tuple[Situation, list[Outcome]]:
    """Decide each command on the situation after the one before; return the last situation and all outcomes."""
    outcomes: list[Outcome] = []
    for command in commands:
        situation, outcome = decide_one(situation, command)
        outcomes.append(outcome)
    return situation, outcomes


def join_needs(needs: Sequence[Needs]) -> Needs:
    """Return the union of the needs."""
    return Needs(
        records=frozenset().union(*(need.records for need in needs)),
        opportunities=frozenset().union(*(need.opportunities for need in needs)),
        children=frozenset().union(*(need.children for need in needs)),
        claims_on=frozenset().union(*(need.claims_on for need in needs)),
        proposed_at=frozenset().union(*(need.proposed_at for need in needs)),
        announced=tuple(chain.from_iterable(need.announced for need in needs)),
        sellers=frozenset().union(*(need.sellers for need in needs)),
        leaving=any(need.leaving for need in needs),
        changed_sellers=frozenset().union(*(need.changed_sellers for need in needs)),
        expired=any(need.expired for need in needs),
        below=frozenset().union(*(need.below for need in needs)),
        over_before=max((need.over_before for need in needs if need.over_before), default=None),
        families=frozenset().union(*(need.families for need in needs)),
        sources=frozenset().union(*(need.sources for need in needs)),
        source_prefixes=frozenset().union(*(need.source_prefixes for need in needs)),
        timetables=frozenset().union(*(need.timetables for need in needs)),
        due_timetable=any(need.due_timetable for need in needs),
        dated_children=frozenset().union(*(need.dated_children for need in needs)),
        court_times=frozenset().union(*(need.court_times for need in needs)),
        lookups=frozenset().union(*(need.lookups for need in needs)),
        shown_to=frozenset().union(*(need.shown_to for need in needs)),
        withheld_from=frozenset().union(*(need.withheld_from for need in needs)),
        fills=frozenset().union(*(need.fills for need in needs)),
        fills_of=frozenset().union(*(need.fills_of for need in needs)),
        holders=frozenset().union(*(need.holders for need in needs)),
    )
