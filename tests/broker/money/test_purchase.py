"""The table of states: it is complete, it ends, and no way through it forgets a payment or an Order."""

from collections.abc import Iterator
from itertools import product

import pytest

from openbooking.broker.money.purchase import (
    TRANSITIONS,
    WORDS,
    Outcome,
    State,
    is_stale,
    outcome_of_refusal,
)

RESTS = {State.OPEN, State.BOOKED, State.REVERSED, State.REFUND_REFUSED}
Way = tuple[tuple[State, Outcome], ...]
# What each step brings about if its outcome is DONE.
AUTHORISED = {(State.AUTHORISING, Outcome.DONE)}
MAY_BE_AUTHORISED = AUTHORISED | {(State.AUTHORISING, outcome) for outcome in (Outcome.UNKNOWN, Outcome.STALE)}
RELEASED = {
    (State.RELEASING, Outcome.DONE),
    (State.VOIDING, Outcome.DONE),
    (State.VOIDING, Outcome.PROPOSAL_LEFT),
    (State.CAPTURING, Outcome.DONE),
}
MAY_BE_BOOKED = {
    (state, outcome)
    for state, outcome in product((State.BOOKING, State.PROPOSING), Outcome)
    if outcome not in (Outcome.DONE, Outcome.REFUSED)
} | {(State.CAPTURING, Outcome.REFUSED)}
DELETED = {(State.DELETING, Outcome.DONE), (State.RESTARTING, Outcome.DONE)}


def ways(state: State, done: Way = ()) -> Iterator[Way]:
    """Yield every way from a state to a state where the purchase rests, with no state twice."""
    if state in RESTS:
        yield done
        return
    for outcome, following in TRANSITIONS[state].items():
        if following is not state and following not in {passed for passed, _ in done}:
            yield from ways(following, (*done, (state, outcome)))


def is_possible(way: Way) -> bool:
    """Return whether a purchase can go this way: P begins again with P, and B begins again with B."""
    proposed = any(state is State.PROPOSING for state, _ in way[:1])
    again = [outcome for state, outcome in way if state is State.REQUOTING]
    return (Outcome.PROPOSED_AGAIN not in again) if not proposed else (Outcome.DONE not in again)


STARTS = (State.AUTHORISING, State.BOOKING, State.PROPOSING, State.REFUNDING)
ALL_WAYS = [way for start in STARTS for way in ways(start) if is_possible(way)]


def test_every_state_is_a_step_or_a_rest_and_has_words() -> None:
    assert set(TRANSITIONS) | RESTS == set(State)
    assert not set(TRANSITIONS) & RESTS
    assert set(WORDS) == set(State)


def test_every_outcome_of_a_step_is_in_the_table() -> None:
    assert {outcome for outcomes in TRANSITIONS.values() for outcome in outcomes} == set(Outcome)
    assert all(Outcome.DONE in outcomes for outcomes in TRANSITIONS.values())


def test_every_state_leads_to_a_rest() -> None:
    assert all(list(ways(state)) for state in TRANSITIONS)


@pytest.mark.parametrize(
    "way", ALL_WAYS, ids=lambda way: " > ".join(f"{state}:{outcome.name}" for state, outcome in way)
)
def test_every_way_releases_or_captures_what_it_authorised(way: Way) -> None:
    authorised = way[0][0] is State.BOOKING
    for step in way:
        authorised = (authorised or step in MAY_BE_AUTHORISED) and step not in RELEASED
    assert not authorised


@pytest.mark.spec("OB-BRK-02", "OB-BRK-10")
@pytest.mark.parametrize(
    "way", ALL_WAYS, ids=lambda way: " > ".join(f"{state}:{outcome.name}" for state, outcome in way)
)
def test_every_way_deletes_an_order_that_is_not_paid_for(way: Way) -> None:
    leftover = False
    for step in way:
        leftover = (leftover or step in MAY_BE_BOOKED) and step not in DELETED
    assert not leftover


def test_captures_follow_booked_orders_only() -> None:
    before = {state for state, outcomes in TRANSITIONS.items() if State.CAPTURING in outcomes.values()}
    assert before == {State.BOOKING, State.CAPTURING}
    assert [o for o, following in TRANSITIONS[State.BOOKING].items() if following is State.CAPTURING] == [Outcome.DONE]


@pytest.mark.spec("OB-BRK-02", "OB-BRK-03")
@pytest.mark.parametrize(
    ("status", "unsure", "may_restart", "outcome"),
    [
        (None, False, True, Outcome.UNKNOWN),
        (None, True, False, Outcome.UNKNOWN),
        (400, False, True, Outcome.REFUSED),
        (409, False, False, Outcome.REFUSED),
        (429, False, True, Outcome.REFUSED),
        (400, True, True, Outcome.REFUSED_UNSURE),
        (500, False, True, Outcome.FAILED),
        (500, True, False, Outcome.FAILED_AT_LAST),
        (503, True, True, Outcome.FAILED),
        (200, False, True, Outcome.FAILED),
    ],
)
def test_status_of_the_last_reply_decides_the_outcome(
    status: int | None, unsure: bool, may_restart: bool, outcome: Outcome
) -> None:
    assert outcome_of_refusal(status, unsure=unsure, may_restart=may_restart) is outcome


@pytest.mark.parametrize("state", TRANSITIONS)
def test_stale_steps_are_in_the_table(state: State) -> None:
    recent, old = is_stale(state, 1, 900), is_stale(state, 901, 900)
    assert recent is (state is State.AUTHORISING)
    assert old is (Outcome.STALE in TRANSITIONS[state])
