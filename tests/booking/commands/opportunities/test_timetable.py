"""The commands that store and remove entries of a timetable, and publish their occurrences."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish_occurrences import (
    BatchOutcome,
    GetDueTimetable,
    OccurrenceBatch,
    PublishOccurrences,
)
from openbooking.booking.commands.opportunities.timetable import (
    ApplyTimetable,
    EntryCommand,
    RemoveTimetableEntry,
    SaveTimetableEntry,
)
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import TimetableChangedError, UsedByTimetableError
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.situation import DatedChildren, Situation
from openbooking.booking.model.timetable import (
    NO_END,
    Closure,
    Court,
    EntryKey,
    Facility,
    Nation,
    TimetableEntry,
    TimetableRule,
    Venue,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.booking.store import fold
from openbooking.openactive.errors import NotFoundError, SellerNotFoundError
from support.builders import NOW, session, situation
from support.parties import CENTRE, MANAGER

FIRST, UNTIL = date(2027, 3, 1), date(2027, 5, 1)
YOGA = WeeklyClass(
    name="Yoga", venue="hall", times=(WeeklyTime((0,), time(19), 60),), first=FIRST, capacity=5, prices=()
)
SQUASH = Facility(
    name="Squash",
    hours=(),
    lengths=(60,),
    prices=(),
    courts=(Court(key="1", name="One"), Court(key="2", name="Two")),
    first=FIRST,
)
HALL = Venue(name="Hall")
HOLIDAYS = Closure(name="Bank holidays", bank_holidays=Nation.WALES)


def key(name: str) -> EntryKey:
    """Return the key of an entry of the Centre."""
    return EntryKey(CENTRE.key, name)


def entry(name: str, rule: TimetableRule, **changes: Any) -> TimetableEntry:
    """Return a stored entry."""
    stored = TimetableEntry(seller=CENTRE.key, key=name, rule=rule, changed_by=MANAGER, revision=3)
    return replace(stored, **{"published_until": UNTIL, **changes})


STORED = (entry("yoga", YOGA), entry("squash", SQUASH), entry("hall", HALL, published_until=NO_END))


def having(*entries: TimetableEntry, **changes: Any) -> Situation:
    """Return a situation with these entries."""
    return replace(situation(), timetable={stored.entry_key: stored for stored in entries}, **changes)


def timetable_after(before: Situation, command: Command[Any]) -> Mapping[EntryKey, TimetableEntry]:
    """Return the timetable after a command, which must succeed."""
    after, (outcome,) = fold(before, [command])
    assert not isinstance(outcome, Exception), outcome
    return after.timetable


def save(name: str, rule: TimetableRule, seen: int | None = None, **fields: Any) -> SaveTimetableEntry:
    """Return the command that stores an entry."""
    return SaveTimetableEntry(key=key(name), rule=rule, seen=seen, actor=MANAGER, **fields)


def test_a_new_entry_is_to_be_published_from_its_first_date_on() -> None:
    stored = timetable_after(having(*STORED), save("pilates", YOGA, message="New."))[key("pilates")]
    assert stored == entry("pilates", YOGA, revision=1, published_until=None, message="New.")


def test_a_changed_entry_is_published_anew_and_others_stay() -> None:
    changed = replace(YOGA, capacity=9)
    after = timetable_after(having(*STORED), save("yoga", changed, 3))
    assert after == {
        **having(*STORED).timetable,
        key("yoga"): entry("yoga", changed, revision=4, published_until=None, stored_until=UNTIL),
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, UNTIL),
        ({"published_until": None}, None),
        ({"published_until": FIRST, "stored_until": UNTIL}, UNTIL),
        ({"published_until": NO_END}, None),
        ({"published_until": NO_END, "rule": replace(YOGA, last=FIRST)}, FIRST + timedelta(days=2)),
        ({"published_until": NO_END, "rule": replace(YOGA, last=date.max)}, date.max),
    ],
)
def test_an_entry_knows_until_when_earlier_revisions_were_published(
    fields: dict[str, Any], expected: date | None
) -> None:
    before = replace(STORED[0], **fields)
    after = timetable_after(having(before), save("yoga", replace(YOGA, capacity=9), 3))[key("yoga")]
    assert (after.published_until, after.stored_until) == (None, expected)
    partly = replace(after, published_until=FIRST)
    assert partly.next_date == (date.min if expected and expected > FIRST else FIRST)


def test_the_same_rule_changes_nothing() -> None:
    before = having(*STORED)
    assert save("yoga", YOGA, 3).decide(before).changes == ()


@pytest.mark.parametrize(("name", "rule"), [("holidays", HOLIDAYS), ("gym", HALL)])
def test_a_closure_or_a_venue_has_all_classes_and_facilities_published_anew(name: str, rule: TimetableRule) -> None:
    after = timetable_after(having(*STORED), save(name, rule, message="Closed."))
    assert after[key(name)] == entry(name, rule, revision=1, published_until=NO_END, message="Closed.")
    for revised in ("yoga", "squash"):
        assert (after[key(revised)].revision, after[key(revised)].published_until) == (4, None)
        assert after[key(revised)].message == "Closed."
    assert after[key("hall")] == STORED[2]


def test_courts_that_a_facility_loses_are_remembered_until_they_return() -> None:
    one = replace(SQUASH, courts=SQUASH.courts[:1])
    after = timetable_after(having(*STORED), save("squash", one, 3))
    assert after[key("squash")].former_courts == ("2",)
    none = timetable_after(having(after[key("squash")]), save("squash", replace(one, courts=()), 4))
    assert none[key("squash")].former_courts == ("1", "2")
    again = timetable_after(having(none[key("squash")]), save("squash", SQUASH, 5))
    assert again[key("squash")].former_courts == ()


@pytest.mark.parametrize("seen", [None, 2, 4])
def test_an_entry_that_changed_since_it_was_seen_is_not_changed(seen: int | None) -> None:
    commands: list[EntryCommand] = [
        save("yoga", replace(YOGA, capacity=9), seen),
        RemoveTimetableEntry(key=key("yoga"), seen=seen, actor=MANAGER),
    ]
    for command in commands:
        with pytest.raises(TimetableChangedError):
            command.decide(having(*STORED))  # type: ignore[attr-defined]


def test_a_removed_entry_ends_and_a_new_one_can_have_its_key() -> None:
    after = timetable_after(
        having(*STORED), RemoveTimetableEntry(key=key("yoga"), seen=3, message="End.", actor=MANAGER)
    )
    ended = after[key("yoga")]
    assert ended == entry(
        "yoga", YOGA, revision=4, published_until=None, stored_until=UNTIL, ended=True, message="End."
    )
    with pytest.raises(TimetableChangedError):
        RemoveTimetableEntry(key=key("yoga"), seen=4, actor=MANAGER).decide(having(ended))
    again = timetable_after(having(ended), save("yoga", YOGA))
    assert again[key("yoga")] == entry("yoga", YOGA, revision=5, published_until=None, stored_until=UNTIL)


def test_a_venue_is_removed_only_if_nothing_is_there() -> None:
    remove = RemoveTimetableEntry(key=key("hall"), seen=3, actor=MANAGER)
    with pytest.raises(UsedByTimetableError):
        remove.decide(having(*STORED))
    after = timetable_after(having(*STORED[1:]), remove)
    assert after.keys() == {key("squash")}
    assert after[key("squash")].published_until is None


def test_unknown_entries_and_sellers_are_refused() -> None:
    with pytest.raises(NotFoundError):
        RemoveTimetableEntry(key=key("unknown"), actor=MANAGER).decide(having())
    with pytest.raises(SellerNotFoundError):
        SaveTimetableEntry(key=EntryKey("unknown", "yoga"), rule=YOGA, actor=MANAGER).decide(having())


def apply(seen: dict[str, int] | None = None, **fields: Any) -> ApplyTimetable:
    """Return the command that stores several entries."""
    known = {"yoga": 3, "squash": 3, "hall": 3} if seen is None else seen
    return ApplyTimetable(**{"seller": CENTRE.key, "seen": known, "rules": {}, "actor": MANAGER, **fields})


def test_several_entries_are_stored_and_removed_at_once() -> None:
    changed = replace(YOGA, capacity=9)
    rules = {"yoga": changed, "pilates": YOGA, "hall": HALL}
    command = apply(rules=rules, removed=frozenset({"squash"}), message="New.")
    assert timetable_after(having(*STORED), command) == {
        key("yoga"): entry("yoga", changed, revision=4, published_until=None, stored_until=UNTIL, message="New."),
        key("pilates"): entry("pilates", YOGA, revision=1, published_until=None, message="New."),
        key("hall"): STORED[2],
        key("squash"): entry(
            "squash", SQUASH, revision=4, published_until=None, stored_until=UNTIL, ended=True, message="New."
        ),
    }


def test_stored_rules_change_nothing() -> None:
    assert apply(rules={"yoga": YOGA, "squash": SQUASH, "hall": HALL}).decide(having(*STORED)).changes == ()


@pytest.mark.parametrize("fields", [{"rules": {"holidays": HOLIDAYS, "hall": replace(HALL, town="Bath")}}])
def test_a_stored_venue_and_a_closure_have_others_published_anew_once(fields: dict[str, Any]) -> None:
    after = timetable_after(having(*STORED), apply(**fields, message="Closed."))
    assert {name.key: found.revision for name, found in after.items()} == {
        "yoga": 4, "squash": 4, "hall": 4, "holidays": 1,
    }  # fmt: skip
    assert after[key("hall")].published_until == NO_END
    assert after[key("yoga")].message == "Closed."


@pytest.mark.parametrize("seen", [{}, {"yoga": 3, "squash": 3}, {"yoga": 2, "squash": 3, "hall": 3}])
def test_a_timetable_that_changed_since_it_was_seen_stays_as_it_is(seen: dict[str, int]) -> None:
    with pytest.raises(TimetableChangedError):
        apply(seen, rules={"pilates": YOGA}).decide(having(*STORED))


def test_a_removed_venue_must_not_be_named_by_any_rule_afterwards() -> None:
    gone = frozenset({"hall"})
    with pytest.raises(UsedByTimetableError):
        apply(removed=gone).decide(having(*STORED))
    with pytest.raises(UsedByTimetableError):
        apply(removed=gone | {"yoga"}, rules={"pilates": YOGA}).decide(having(*STORED))
    after = timetable_after(having(*STORED), apply(removed=gone | {"yoga"}))
    assert {name.key for name, found in after.items() if not found.ended} == {"squash"}


def test_an_unknown_entry_and_an_unknown_seller_are_not_applied() -> None:
    with pytest.raises(TimetableChangedError):
        apply(removed=frozenset({"unknown"})).decide(having(*STORED))
    with pytest.raises(SellerNotFoundError):
        apply({}, seller="unknown").decide(having())


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (apply(rules={"yoga": replace(YOGA, capacity=9)}), "yoga"),
        (apply(rules={"holidays": HOLIDAYS}), "holidays"),
        (save("yoga", replace(YOGA, capacity=9), 3), "yoga"),
        (save("holidays", HOLIDAYS), "holidays"),
        (RemoveTimetableEntry(key=key("squash"), seen=3, actor=MANAGER), "squash"),
    ],
)
def test_each_change_of_an_entry_is_in_the_activity_log_once(command: Command[Any], name: str) -> None:
    after, _ = fold(having(*STORED), [command])
    assert [(found.action, found.entry, found.seller) for found in after.activity] == [
        (Action.TIMETABLE_CHANGED, name, CENTRE.key)
    ]


@pytest.mark.parametrize(
    ("published_until", "days", "is_due"),
    [
        (None, 0, True),
        (NO_END, 0, False),
        (FIRST + timedelta(weeks=8), 0, True),
        (FIRST + timedelta(weeks=8), -1, False),
    ],
)
def test_an_entry_is_due_when_its_next_date_is_within_the_horizon(
    published_until: date | None, days: int, is_due: bool
) -> None:
    stored = entry("yoga", YOGA, published_until=published_until)
    now = datetime.combine(FIRST, time(), NOW.tzinfo) + timedelta(days=days)
    reply = GetDueTimetable().decide(having(stored, now=now)).reply
    assert (reply is not None) is is_due
    if reply is not None:
        assert (reply.entry, reply.timetable) == (stored, {stored.entry_key: stored})


SERIES, MONDAY = (replace(member, source=STORED[0].source) for member in session("monday"))


def a_batch(stored: TimetableEntry = STORED[0], **changes: Any) -> OccurrenceBatch:
    """Return a batch that publishes one session, and removes all others of its series."""
    period = DatedChildren(SERIES.path, NOW, NOW + timedelta(days=30))
    made = OccurrenceBatch(
        entry=stored, opportunities=(SERIES, MONDAY), periods=frozenset({period}), until=date(2027, 4, 1)
    )
    return replace(made, **changes)


def stocked(*members: Any) -> Situation:
    """Return a situation with the entry of yoga, and these Opportunities."""
    return replace(situation(list(members)), timetable={STORED[0].entry_key: STORED[0]})


def test_a_batch_publishes_its_occurrences_and_notes_its_dates() -> None:
    after, (outcome,) = fold(stocked(), [PublishOccurrences(batch=a_batch())])
    assert outcome == BatchOutcome(is_done=True)
    assert after.opportunities.keys() == {SERIES.path, MONDAY.path}
    assert after.timetable[key("yoga")] == replace(STORED[0], published_until=date(2027, 4, 1))
    assert after.activity == ()


def test_only_coming_occurrences_of_the_entry_in_its_periods_are_removed() -> None:
    def at(name: str, days: int, **changes: Any) -> Any:
        begins = NOW + timedelta(days=days)
        path = f"scheduled-sessions/{name}"
        return replace(MONDAY, path=path, start=begins, end=begins + timedelta(hours=1), **changes)

    others = [
        at("past", -1),
        at("later", 31),
        at("imported", 3, source="feed"),
        at("of another series", 3, parent="session-series/other"),
        at("cancelled", 3, cancelled_here=True),
        at("withdrawn", 3, withdrawn=True),
    ]
    before = stocked(SERIES, at("tuesday", 3), *others)
    first = PublishOccurrences(batch=a_batch())
    gone = frozenset({"scheduled-sessions/tuesday"})
    assert first.decide(before).reply == BatchOutcome(is_done=False, to_remove=gone)
    after, (outcome,) = fold(before, [replace(first, remove=gone)])
    assert outcome == BatchOutcome(is_done=True)
    assert before.opportunities.keys() - after.opportunities.keys() == gone


def test_a_batch_of_another_state_of_the_entry_changes_nothing() -> None:
    for changes in ({"revision": 4}, {"published_until": None}):
        command = PublishOccurrences(batch=a_batch(replace(STORED[0], **changes)))
        decision = command.decide(stocked())
        assert (decision.reply, decision.changes) == (BatchOutcome(is_done=False), ())


def test_the_last_batch_of_an_entry_that_has_ended_retires_its_parents() -> None:
    ended = replace(STORED[0], ended=True, published_until=None)
    last = a_batch(ended, opportunities=(), retired=frozenset({SERIES.path}), until=NO_END)
    before = replace(situation([SERIES]), timetable={ended.entry_key: ended})
    after, (outcome,) = fold(before, [PublishOccurrences(batch=last)])
    assert outcome == BatchOutcome(is_done=True)
    assert after.timetable == {}
    assert after.opportunities[SERIES.path].sale is SaleState.OVER
