"""Deletion of Orders and quotes (OB 9.2.3, 9.2.7)."""

import pytest

from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.record import DeletedRecord
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import InvalidAuthorizationDetailsError, UnknownOrderError
from support.builders import BY_ALICE, PRICE, UUID, after, book, item, request, session, situation
from support.parties import ALICE, BOB

YOGA = session("yoga")
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)


def booked() -> Situation:
    """The situation after B of two spaces of yoga."""
    items = [item(YOGA, position) for position in range(2)]
    return after(situation(YOGA), book(request(*items, total_payment_due=2 * PRICE)))


@pytest.mark.spec("OB-DEL-01", "OB-DEL-03", "OB-DEL-07", "OB-DEL-11")
@pytest.mark.parametrize("cancelled_before", [False, True])
def test_deletion_leaves_a_stub_without_data(cancelled_before: bool) -> None:
    where = after(booked(), Cancel(caller=ALICE, uuid=UUID, numbers=(1,))) if cancelled_before else booked()
    deleted = after(where, DeleteOrder(caller=ALICE, uuid=UUID))
    assert deleted.records[KEY] == DeletedRecord(
        partner="alice",
        uuid=UUID,
        seller="centre",
        updated=cancelled_before,
        booked=BY_ALICE,
        changed=BY_ALICE,
        deleted=BY_ALICE,
    )
    assert deleted.spaces[PATH] == Spaces()
    assert DeleteOrder(caller=ALICE, uuid=UUID).decide(deleted).changes == ()


@pytest.mark.spec("OB-DEL-06", "OB-AUTH-09")
def test_a_partner_can_delete_only_its_own_orders() -> None:
    for where, caller in ((situation(YOGA), ALICE), (booked(), BOB)):
        with pytest.raises(UnknownOrderError):
            DeleteOrder(caller=caller, uuid=UUID).decide(where)


@pytest.mark.spec("OB-DEL-08")
def test_deletion_is_no_cancellation() -> None:
    deleted = after(booked(), DeleteOrder(caller=ALICE, uuid=UUID))
    assert deleted.records[KEY].states == ()
    assert not deleted.records[KEY].updated


@pytest.mark.spec("OB-AUTH-10")
def test_a_partner_whose_authorisation_ended_cannot_delete_its_orders() -> None:
    with pytest.raises(InvalidAuthorizationDetailsError):
        DeleteOrder(caller=Caller("alice", frozenset()), uuid=UUID).decide(booked())
