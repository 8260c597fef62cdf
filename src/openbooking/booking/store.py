"""The Store protocol, and the fold by which every store decides.

A store takes the commands that are waiting, loads in one go what all of them need (locked, in key order), folds
`decide` and `evolve` over them, writes what changed in one go, commits once and hands out the replies.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from openbooking.booking.command import Command
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Needs, Situation, Spaces, evolve
from openbooking.openactive.rpde import PAGE_BYTES, Item

Reply = TypeVar("Reply")


class StoreUnavailableError(Exception):
    """The database cannot be reached or does not answer, for now.

    A command has then changed nothing, or all that it had to, if the answer of the database was lost: so it is
    repeated, or asked after.
    """


class Feed(NamedTuple):
    """A feed: an open one by its name, or one of a Booking Partner's own."""

    name: str
    partner: str = ""


class Figures(NamedTuple):
    """What whoever runs the system looks at from time to time.

    `leases` have not ended, `ended_leases` have, and wait for the sweeper; `oldest_unread` tells when the oldest item
    of a feed has changed that its reader has not seen.
    """

    leases: int
    ended_leases: int
    oldest_unread: Mapping[Feed, datetime | None]


ORDERS = "orders"
ORDER_PROPOSALS = "order-proposals"


class FeedWriter(Protocol):
    """Writes what a feed says of a thing, as JSON-LD; given to the store, which keeps the bytes."""

    def opportunity(
        self, opportunity: Opportunity, spaces: Spaces, parents: Sequence[Opportunity], seller: Seller
    ) -> bytes:
        """The `data` of an Opportunity in its open feed."""
        ...

    def opportunity_id(self, path: str) -> str:
        """The `@id` that it has there."""
        ...

    def order(self, record: OrderRecord) -> bytes:
        """The `data` of an Order in its partner's Orders feed."""
        ...

    def proposal(self, record: ProposalRecord) -> bytes:
        """The `data` of an OrderProposal in its partner's feed."""
        ...


class Store(Protocol):
    """Where a Booking System keeps everything: executes commands, serves feeds.

    `execute` raises the OpenBookingError of a refused command, or StoreUnavailableError; a command that fails leaves no
    trace and harms no other. What `execute` has answered is on disk. No number of concurrent callers, processes or
    crashes sells a place twice.
    """

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out one command: all of it or none of it."""
        ...

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """The first items of a feed whose change number is over `after`, in its order.

        A reader who follows these numbers while others write ends with exactly what the store holds. There are `limit`
        items at most. The item with which their `data` reaches `most_bytes` is the last one, so there is one item
        however large it is. Items beyond that are not read into memory.
        """
        ...

    async def sellers(self) -> Sequence[Seller]:
        """All Sellers, by key."""
        ...

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """The first paths over `after` of what this Seller has published, in their order; on sale or not."""
        ...

    async def order_counts(self) -> Mapping[Partnership, int]:
        """How many Orders each Booking Partner has made with each Seller, without those that were deleted."""
        ...

    async def forget_deleted(self, before: datetime) -> None:
        """Forget what was deleted from the feeds before that time, and wipe what is left on disk of erased data.

        It is called every hour; what takes longer to leave the disk goes on with each call. Feeds keep what is deleted
        for seven days at least (OB-FEED-19).
        """
        ...

    async def note_time(self, at: datetime) -> None:
        """Store the time of a trusted clock, as the last time at which the store was in use."""
        ...

    async def noted_time(self) -> datetime | None:
        """The time that was noted last, or None; `openbooking.clock` compares the clock with it at the start."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the database answers, and is one that this version works with."""
        ...

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """The figures, where the readers of those feeds have seen all up to these change numbers."""
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
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
    """What all of them need together."""
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
