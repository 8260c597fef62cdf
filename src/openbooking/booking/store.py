"""The Store protocol, and the fold by which every store decides.

A store takes the waiting commands and loads everything that they need, locked in the order of keys. It decides them one
after the other, writes all changes, commits once and returns the replies.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Needs, Situation, Spaces, evolve
from openbooking.booking.rules.activity_log import activities
from openbooking.openactive.rpde import PAGE_BYTES, Item

Reply = TypeVar("Reply")


class StoreUnavailableError(Exception):
    """The database cannot be reached, or does not answer in time.

    The command has changed nothing, unless only the answer of the database was lost. The caller can therefore repeat
    the command, or read the record.
    """


class Feed(NamedTuple):
    """An open feed, by its name, or a feed of one Booking Partner."""

    name: str
    partner: str = ""


class Figures(NamedTuple):
    """Figures for the monitoring of the system.

    Attributes:
        leases: The number of holds that have not ended.
        ended_leases: The number of ended holds that the sweeper has not removed yet.
        oldest_unread: When the oldest item changed that the reader of a feed has not read; None if there is none.
    """

    leases: int
    ended_leases: int
    oldest_unread: Mapping[Feed, datetime | None]


ORDERS = "orders"
ORDER_PROPOSALS = "order-proposals"


class FeedWriter(Protocol):
    """Writes feed items as JSON-LD; the store keeps their bytes."""

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

    A command that fails changes nothing, and does not affect other commands. A reply is returned only once its changes
    are on disk. No space is sold twice, whatever the number of concurrent callers and processes, and after any crash.
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

        A reader that follows the change numbers while others write ends with exactly the items that the store holds.

        Args:
            feed: The feed.
            after: The change number of the last item of the page before; 0 for the first page.
            limit: The largest number of items.
            most_bytes: The item with which the `data` reaches this number of bytes is the last one. A page therefore
                has at least one item, and further items are not read into memory.
        """
        ...

    async def sellers(self) -> Sequence[Seller]:
        """Return all Sellers, in the order of their keys."""
        ...

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """Return the first paths after `after` of the Seller's Opportunities, in their order, on sale or not."""
        ...

    async def order_counts(self) -> Mapping[Partnership, int]:
        """Return the number of Orders of each Booking Partner with each Seller, without deleted ones."""
        ...

    async def forget_deleted(self, before: datetime) -> None:
        """Remove feed items that were deleted before that time, and wipe erased data from the disk.

        The upkeep calls this every hour; a wipe that takes longer continues with the next call. Feeds keep deleted
        items for at least seven days (OB-FEED-19).
        """
        ...

    async def note_time(self, at: datetime) -> None:
        """Store the time of a trusted clock as the last time at which the store was used."""
        ...

    async def noted_time(self) -> datetime | None:
        """Return the last stored time, or None; `openbooking.clock` compares the clock with this time at the start."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the database answers and has the schema of this version."""
        ...

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """Return the figures.

        Args:
            read: The last change number that the reader of each feed has read.
        """
        ...

    async def close(self) -> None:
        """Finish the accepted commands, and disconnect from the database."""
        ...


# What each of several commands comes to, whatever the types of their replies: its reply, or the exception to raise.
Outcome: TypeAlias = Any


def decide_one(situation: Situation, command: Command[Reply]) -> tuple[Situation, Reply | Exception]:
    """Return the situation after the command, and its reply, or the exception that it raises.

    A command that is refused by an exception, or whose decision fails, changes nothing.
    """
    evolved = situation
    try:
        decision = command.decide(situation)
        for change in decision.changes:
            evolved = evolve(evolved, change)
        if command.action and decision.changes:
            entries = activities(command.action, command.actor, situation, decision.changes)
            evolved = replace(evolved, activity=evolved.activity + entries)
    except Exception as fault:  # noqa: BLE001 - a fault in one command must not spoil the others of its batch
        return situation, fault
    return evolved, decision.reply


def fold(situation: Situation, commands: Sequence[Command[Any]]) -> tuple[Situation, list[Outcome]]:
    """Return the situation after all commands, each decided after the one before, and their outcomes."""
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
        expired=any(need.expired for need in needs),
        below=frozenset().union(*(need.below for need in needs)),
        over_before=max((need.over_before for need in needs if need.over_before), default=None),
        families=frozenset().union(*(need.families for need in needs)),
        sources=frozenset().union(*(need.sources for need in needs)),
        source_prefixes=frozenset().union(*(need.source_prefixes for need in needs)),
        lookups=frozenset().union(*(need.lookups for need in needs)),
        shown_to=frozenset().union(*(need.shown_to for need in needs)),
        withheld_from=frozenset().union(*(need.withheld_from for need in needs)),
        fills=frozenset().union(*(need.fills for need in needs)),
        fills_of=frozenset().union(*(need.fills_of for need in needs)),
        holders=frozenset().union(*(need.holders for need in needs)),
    )
