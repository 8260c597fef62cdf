"""The fold by which every store decides a batch of commands, and the joined needs of the batch."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Command, Decision
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import CourtTime
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.situation import DatedChildren, Needs, OpportunityRemoved, SellerSet, Situation
from openbooking.booking.store import decide_one, fold, join_needs
from openbooking.openactive.errors import NotFoundError, OpenBookingError
from support.builders import NOW, session, situation
from support.parties import CENTRE

SERIES, YOGA = session("yoga")
OTHER_SERIES, OTHER = session("other")
GREEN = replace(CENTRE, name="Green Centre")


class Remove(BaseCommand, frozen=True):
    """Remove an Opportunity. The reply is the number of Opportunities before the removal."""

    actor: ClassVar[Actor] = Actor(ActorKind.SYSTEM)
    path: str

    def needs(self) -> Needs:
        return Needs(opportunities=frozenset({self.path}))

    def decide(self, where: Situation) -> Decision[int]:
        if self.path not in where.opportunities:
            raise NotFoundError
        return Decision(reply=len(where.opportunities), changes=(OpportunityRemoved(self.path),))


class Faulty(BaseCommand, frozen=True):
    """A command with two changes, of which the second cannot be applied."""

    actor: ClassVar[Actor] = Actor(ActorKind.SYSTEM)

    def needs(self) -> Needs:
        return Needs()

    def decide(self, where: Situation) -> Decision[None]:
        nobody: Any = None
        return Decision(reply=None, changes=(SellerSet(GREEN), SellerSet(nobody)))


def test_a_decided_command_has_its_reply_and_all_its_changes() -> None:
    where, reply = decide_one(situation([SERIES, YOGA]), Remove(YOGA.path))
    assert reply == 2
    assert where.opportunities == {SERIES.path: SERIES}


def test_a_refused_command_changes_nothing() -> None:
    before = situation([SERIES])
    where, refusal = decide_one(before, Remove(YOGA.path))
    assert where == before
    assert isinstance(refusal, NotFoundError)


def test_a_command_with_a_change_that_fails_changes_nothing() -> None:
    before = situation([SERIES])
    where, fault = decide_one(before, Faulty())
    assert where == before
    assert isinstance(fault, AttributeError)


def test_each_command_of_a_batch_is_decided_after_the_one_before() -> None:
    before = situation([SERIES, YOGA], [OTHER_SERIES, OTHER])
    batch: list[Command[Any]] = [Remove(YOGA.path), Remove(YOGA.path), Faulty(), Remove(OTHER.path)]
    where, outcomes = fold(before, batch)
    assert where.opportunities.keys() == {SERIES.path, OTHER_SERIES.path}
    assert where.sellers == before.sellers
    first, refused, failed, last = outcomes
    assert (first, last) == (4, 3)
    assert isinstance(refused, OpenBookingError)
    assert isinstance(failed, AttributeError)


SOME: dict[str, Any] = {
    "records": frozenset({OrderKey("alice", "1")}),
    "opportunities": frozenset({"opportunities-1"}),
    "children": frozenset({"children-1"}),
    "claims_on": frozenset({"claims_on-1"}),
    "proposed_at": frozenset({"proposed_at-1"}),
    "announced": (SERIES, YOGA),
    "sellers": frozenset({"sellers-1"}),
    "changed_sellers": frozenset({"changed_sellers-1"}),
    "sources": frozenset({"sources-1"}),
    "source_prefixes": frozenset({"source_prefixes-1"}),
    "families": frozenset({"families-1"}),
    "below": frozenset({"below-1"}),
    "court_times": frozenset({CourtTime("court-1", NOW, NOW)}),
    "timetables": frozenset({"timetables-1"}),
    "dated_children": frozenset({DatedChildren("parent-1", NOW, NOW)}),
    "lookups": frozenset({"lookups-1"}),
    "shown_to": frozenset({Partnership("alice", "1")}),
    "withheld_from": frozenset({Partnership("alice", "2")}),
    "fills": frozenset({"fills-1"}),
    "fills_of": frozenset({OrderKey("alice", "2")}),
    "holders": frozenset({"alice"}),
}
MORE: dict[str, Any] = {
    "records": frozenset({OrderKey("bob", "1")}),
    "opportunities": frozenset({"opportunities-2"}),
    "children": frozenset({"children-2"}),
    "claims_on": frozenset({"claims_on-2"}),
    "proposed_at": frozenset({"proposed_at-2"}),
    "announced": (OTHER_SERIES,),
    "sellers": frozenset({"sellers-2"}),
    "changed_sellers": frozenset({"changed_sellers-2"}),
    "sources": frozenset({"sources-2"}),
    "source_prefixes": frozenset({"source_prefixes-2"}),
    "families": frozenset({"families-2"}),
    "below": frozenset({"below-2"}),
    "court_times": frozenset({CourtTime("court-2", NOW, NOW)}),
    "timetables": frozenset({"timetables-2"}),
    "dated_children": frozenset({DatedChildren("parent-2", NOW, NOW)}),
    "lookups": frozenset({"lookups-2"}),
    "shown_to": frozenset({Partnership("bob", "1")}),
    "withheld_from": frozenset({Partnership("bob", "2")}),
    "fills": frozenset({"fills-2"}),
    "fills_of": frozenset({OrderKey("bob", "2")}),
    "holders": frozenset({"bob"}),
}


@pytest.mark.parametrize("field", sorted(SOME))
def test_a_batch_needs_the_rows_of_all_its_commands(field: str) -> None:
    some, more = SOME[field], MORE[field]
    joined: Any = (*some, *more) if isinstance(some, tuple) else some | more
    assert join_needs([Needs(**{field: some}), Needs(**{field: more})]) == Needs(**{field: joined})


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ([Needs(expired=True), Needs()], Needs(expired=True)),
        ([Needs(leaving=True), Needs()], Needs(leaving=True)),
        ([Needs(due_timetable=True), Needs()], Needs(due_timetable=True)),
        ([Needs(), Needs()], Needs()),
        ([Needs(over_before=NOW), Needs()], Needs(over_before=NOW)),
        (
            [Needs(over_before=NOW), Needs(over_before=NOW + timedelta(1)), Needs(over_before=NOW - timedelta(1))],
            Needs(over_before=NOW + timedelta(1)),
        ),
        ([Needs(likely_read_only=True), Needs()], Needs()),
    ],
)
def test_a_batch_needs_ended_records_if_one_of_its_commands_needs_them(needs: list[Needs], expected: Needs) -> None:
    assert join_needs(needs) == expected


def test_the_join_of_every_field_is_tested() -> None:
    alone = {"expired", "leaving", "due_timetable", "over_before", "likely_read_only"}
    assert SOME.keys() == MORE.keys() == set(Needs.__struct_fields__) - alone
