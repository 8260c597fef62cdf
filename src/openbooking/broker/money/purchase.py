"""The rules of a purchase: its states, and which state follows for each outcome of a step.

A state names the step that is about to be done. It is committed before the step begins, so that after a crash the
journal shows the only step whose outcome is not known.

    OPEN ─ AUTHORISING ─ BOOKING ─ CAPTURING ─ BOOKED ─ REFUNDING ─ BOOKED …
                            │          │
       500, endless 503s:   │          └ declined ─┐
         RESTARTING ────────┤                      │
         REQUOTING          └ otherwise ─ DELETING ─ VOIDING ─ REVERSED
             └ another UUID: BOOKING                    └ after P: REJECTING ─ REVERSED
    4xx: RELEASING ─ OPEN, with the same UUID

If the Customer tries again, a REVERSED purchase becomes OPEN with another UUID.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

MOST_RESTARTS = 2
SERVER_ERRORS = 500
CLIENT_ERRORS = 400


class State(StrEnum):
    """The step of a purchase that is about to be done, or where the purchase rests."""

    OPEN = "open"
    PROPOSING = "proposing"
    AUTHORISING = "authorising"
    BOOKING = "booking"
    CAPTURING = "capturing"
    RESTARTING = "restarting"
    REQUOTING = "requoting"
    RELEASING = "releasing"
    DELETING = "deleting"
    VOIDING = "voiding"
    REJECTING = "rejecting"
    REFUNDING = "refunding"
    BOOKED = "booked"
    REVERSED = "reversed"
    REFUND_REFUSED = "refund refused"


class Outcome(StrEnum):
    """The outcome of a step."""

    DONE = "done"
    PROPOSED_AGAIN = "another UUID is quoted, and P follows"
    PROPOSAL_LEFT = "done, and an OrderProposal is left"
    REFUSED = "refused, and nothing has happened"
    REFUSED_UNSURE = "refused, after a request that may have been carried out"
    CHANGED = "the total differs from what the Customer agreed to"
    FAILED = "a fatal error, and the purchase may begin again"
    FAILED_AT_LAST = "a fatal error, and the purchase has begun again too often"
    UNKNOWN = "no answer, or a temporary error of the payment provider"
    STALE = "found by recovery, and too old to be finished"


_O, _S = Outcome, State
# Which state follows. A state that follows itself is repeated by a later recovery.
TRANSITIONS: Mapping[State, Mapping[Outcome, State]] = MappingProxyType(
    {
        # The hook `authorise`. After an outcome that is not known, `void` releases by the key.
        _S.AUTHORISING: {
            _O.DONE: _S.BOOKING,
            _O.REFUSED: _S.OPEN,
            _O.UNKNOWN: _S.RELEASING,
            _O.STALE: _S.RELEASING,
        },
        # P. Nothing is authorised yet.
        _S.PROPOSING: {
            _O.DONE: _S.OPEN,
            _O.REFUSED: _S.OPEN,
            _O.REFUSED_UNSURE: _S.DELETING,
            _O.CHANGED: _S.DELETING,
            _O.FAILED: _S.RESTARTING,
            _O.FAILED_AT_LAST: _S.DELETING,
            _O.UNKNOWN: _S.PROPOSING,
            _O.STALE: _S.DELETING,
        },
        # B.
        _S.BOOKING: {
            _O.DONE: _S.CAPTURING,
            _O.REFUSED: _S.RELEASING,
            _O.REFUSED_UNSURE: _S.DELETING,
            _O.CHANGED: _S.DELETING,
            _O.FAILED: _S.RESTARTING,
            _O.FAILED_AT_LAST: _S.DELETING,
            _O.UNKNOWN: _S.BOOKING,
            _O.STALE: _S.DELETING,
        },
        # The hook `capture`.
        _S.CAPTURING: {_O.DONE: _S.BOOKED, _O.REFUSED: _S.DELETING, _O.UNKNOWN: _S.CAPTURING},
        # The old Order is deleted, then another UUID begins.
        _S.RESTARTING: {_O.DONE: _S.REQUOTING, _O.UNKNOWN: _S.RESTARTING, _O.STALE: _S.DELETING},
        # C2 with the new UUID.
        _S.REQUOTING: {
            _O.DONE: _S.BOOKING,
            _O.PROPOSED_AGAIN: _S.PROPOSING,
            _O.REFUSED: _S.RELEASING,
            _O.CHANGED: _S.RELEASING,
            _O.STALE: _S.RELEASING,
        },
        # The hook `void`; no Order exists, and the UUID can be used again.
        _S.RELEASING: {_O.DONE: _S.OPEN, _O.UNKNOWN: _S.RELEASING},
        # The Order is deleted for good.
        _S.DELETING: {_O.DONE: _S.VOIDING, _O.UNKNOWN: _S.DELETING},
        # The hook `void`; the Order has been deleted.
        _S.VOIDING: {_O.DONE: _S.REVERSED, _O.PROPOSAL_LEFT: _S.REJECTING, _O.UNKNOWN: _S.VOIDING},
        # The PATCH that rejects the OrderProposal. The money does not wait for it: nothing is booked without B.
        _S.REJECTING: {_O.DONE: _S.REVERSED, _O.REFUSED: _S.REVERSED, _O.UNKNOWN: _S.REJECTING},
        # The hook `refund`.
        _S.REFUNDING: {_O.DONE: _S.BOOKED, _O.REFUSED: _S.REFUND_REFUSED, _O.UNKNOWN: _S.REFUNDING},
    }
)

# The purchase has ended.
AT_REST = frozenset({_S.BOOKED, _S.REVERSED})

WORDS: Mapping[State, str] = MappingProxyType(
    {
        _S.OPEN: "Nothing is booked or authorised.",
        _S.PROPOSING: "The OrderProposal is being sent to the Seller.",
        _S.AUTHORISING: "The payment is being authorised.",
        _S.BOOKING: "The payment is authorised, and the Order is being booked.",
        _S.CAPTURING: "The Order is booked, and its payment is being captured.",
        _S.RESTARTING: "The Booking System failed; its Order is being deleted before another one begins.",
        _S.REQUOTING: "The Booking System failed; another Order is being quoted.",
        _S.RELEASING: "Nothing is booked, and the authorised payment is being released.",
        _S.DELETING: "The Order is being deleted, and its payment will be released.",
        _S.VOIDING: "The Order is deleted, and its payment is being released.",
        _S.REJECTING: "Nothing is booked or paid, and the OrderProposal is being rejected.",
        _S.REFUNDING: "A part of the payment is being paid back.",
        _S.BOOKED: "The Order is booked, and its payment is captured.",
        _S.REVERSED: "The Order is deleted, and its payment is released.",
        _S.REFUND_REFUSED: "The payment provider refuses to pay back what is due. Pay it back in another way.",
    }
)

# The Broker has asked for the deletion of the Order, or is about to.
DELETED = frozenset({_S.RESTARTING, _S.DELETING, _S.VOIDING, _S.REJECTING, _S.REVERSED})
# The Order is booked, and its payment is captured.
BOUGHT = frozenset({_S.BOOKED, _S.REFUNDING, _S.REFUND_REFUSED})

# Steps that recovery finishes only while the Customer may still wait for them.
_FINISHED_WHILE_RECENT = frozenset({_S.PROPOSING, _S.BOOKING, _S.RESTARTING, _S.REQUOTING})


def is_stale(state: State, age: float, oldest: float) -> bool:
    """Return whether recovery reverses a step instead of repeating it.

    Args:
        state: The state in which recovery found the purchase.
        age: For how many seconds the purchase has been in that state.
        oldest: The most seconds after which a booking is finished.
    """
    return state is State.AUTHORISING or (state in _FINISHED_WHILE_RECENT and age > oldest)


def outcome_of_refusal(status: int | None, *, unsure: bool, may_restart: bool) -> Outcome:
    """Return the outcome of P or B that ended with an error (OB-BRK-02, OB-BRK-03).

    Args:
        status: The HTTP status of the last reply; None if no answer came.
        unsure: Whether an earlier request for the same step may have been carried out.
        may_restart: Whether the purchase may begin again with another UUID.
    """
    if status is None:
        return Outcome.UNKNOWN
    if CLIENT_ERRORS <= status < SERVER_ERRORS:
        return Outcome.REFUSED_UNSURE if unsure else Outcome.REFUSED
    return Outcome.FAILED if may_restart else Outcome.FAILED_AT_LAST
