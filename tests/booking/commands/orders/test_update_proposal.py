"""PATCH of an OrderProposal: the Customer rejects it, or writes to the Seller (OB 9.2.5)."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.proposal_decisions import WriteToCustomer
from openbooking.booking.commands.orders.update_proposal import ProposalPatch, UpdateProposal, proposal_update
from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import (
    GoneError,
    OpenBookingError,
    PatchNotAllowedOnPropertyError,
    UnknownOrderError,
)
from support.builders import (
    UUID,
    after,
    propose,
    quote,
    situation,
)
from support.parties import ALICE, MANAGER
from support.proposals import (
    ABORT,
    ACCEPT,
    ACCEPTED,
    CUSTOMER_REJECTED,
    KEY,
    REJECT,
    SELLER_REJECTED,
    TRIP,
    amend,
    b,
    having,
    places,
    proposed,
    record_in,
    standing,
)


@pytest.mark.spec("OB-APP-24", "OB-OPU-02")
def test_the_customer_cannot_reject_a_proposal_that_the_seller_has_rejected() -> None:
    with pytest.raises(PatchNotAllowedOnPropertyError):
        ABORT.decide(after(proposed(), REJECT))


def personal_data_in(where: Situation) -> PersonalData | None:
    order = record_in(where).order
    assert order is not None
    return order.personal


@pytest.mark.spec("OB-APP-23", "OB-OPU-01")
def test_a_repeated_rejection_by_the_customer_changes_nothing() -> None:
    command = replace(ABORT, note="It rains.")
    where = after(proposed(), command)
    assert standing(where).status is CUSTOMER_REJECTED
    assert command.decide(where).changes == ()


@pytest.mark.spec("OB-OPU-01", "OB-OPU-02", "OB-OPU-04")
@pytest.mark.parametrize(
    ("status", "note", "expected"),
    [
        (CUSTOMER_REJECTED, None, ABORT),
        (CUSTOMER_REJECTED, "It rains.", replace(ABORT, note="It rains.")),
        (None, "", replace(ABORT, reject=False, note="")),
        (None, None, OpenBookingError),
        (ACCEPTED, None, PatchNotAllowedOnPropertyError),
        (SELLER_REJECTED, "It rains.", PatchNotAllowedOnPropertyError),
        ([], None, PatchNotAllowedOnPropertyError),
        (None, 5, PatchNotAllowedOnPropertyError),
    ],
)
def test_a_customer_can_reject_a_proposal_write_a_note_or_both(status: Any, note: Any, expected: Any) -> None:
    patch = ProposalPatch(status, note)
    if isinstance(expected, UpdateProposal):
        assert proposal_update(ALICE, UUID, patch) == expected
    else:
        with pytest.raises(OpenBookingError) as refusal:
            proposal_update(ALICE, UUID, patch)
        assert type(refusal.value) is expected


@pytest.mark.spec("OB-OPU-06", "OB-DEL-09")
@pytest.mark.parametrize(
    ("commands", "error"),
    [
        ((), UnknownOrderError),
        ((quote(places(TRIP)),), UnknownOrderError),
        ((propose(places(TRIP)), ACCEPT, b()), UnknownOrderError),
        ((propose(places(TRIP)), ACCEPT, b(), DeleteOrder(caller=ALICE, uuid=UUID)), GoneError),
    ],
    ids=["nothing", "quote", "order", "deleted"],
)
def test_only_a_proposal_is_updated(commands: tuple[Command[Any], ...], error: type[OpenBookingError]) -> None:
    where = having(situation(TRIP), *commands)
    for command in (ABORT, ACCEPT, amend(), WriteToCustomer(order=KEY, note="Hello.", actor=MANAGER)):
        with pytest.raises(error):
            command.decide(where)


@pytest.mark.spec("OB-OPU-04")
def test_a_note_of_the_customer_replaces_no_other_personal_data() -> None:
    told = personal_data_in(proposed())
    assert told is not None
    written = after(proposed(), replace(ABORT, reject=False, note="Is there a lift?"))
    assert personal_data_in(written) == replace(told, customer_note="Is there a lift?")
