"""The records of a partnership after the Seller has revoked the authorisation of the partner."""

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteQuote
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.order import Caller, OrderKey, Partnership
from openbooking.booking.model.record import RecordKind
from openbooking.openactive.errors import InvalidAuthorizationDetailsError
from support.builders import BY_MANAGER, UUID, after, item, quote, request, session, situation
from support.parties import ALICE, CENTRE, MANAGER, STUDIO

YOGA = session("yoga")
FOR_STUDIO = Caller("alice", frozenset({STUDIO.key}))
KEY = OrderKey("alice", UUID)


@pytest.mark.spec("OB-AUTH-07", "OB-AUTH-27")
def test_an_order_is_withheld_and_still_sold_and_a_quote_ends() -> None:
    booked = after(situation(YOGA), Book(caller=ALICE, uuid=UUID, request=request(item(YOGA))))
    withhold = Withhold(partnership=Partnership("alice", CENTRE.key), withheld=True, actor=MANAGER)
    withheld = after(booked, withhold)
    assert withheld.records[KEY] == replace(booked.records[KEY], withheld=True, changed=BY_MANAGER)
    assert withheld.spaces == booked.spaces
    assert withhold.decide(booked).reply == 1
    assert withhold.decide(withheld).reply == 0
    shown = after(withheld, replace(withhold, withheld=False))
    assert shown.records[KEY] == replace(booked.records[KEY], changed=BY_MANAGER)
    quoted = after(situation(YOGA), quote(request(item(YOGA))))
    assert quoted.records[KEY].kind is RecordKind.QUOTE
    ended = after(quoted, withhold)
    assert ended.records == {}
    assert ended.spaces[YOGA[-1].path].leased == 0


@pytest.mark.parametrize("partnership", [Partnership("bob", CENTRE.key), Partnership("alice", STUDIO.key)])
def test_orders_of_other_partnerships_are_not_withheld(partnership: Partnership) -> None:
    booked = after(situation(YOGA), Book(caller=ALICE, uuid=UUID, request=request(item(YOGA))))
    assert after(booked, Withhold(partnership=partnership, withheld=True, actor=MANAGER)).records == booked.records


@pytest.mark.spec("OB-AUTH-10", "OB-AUTH-14")
def test_a_quote_of_one_seller_cannot_be_deleted_for_another() -> None:
    pilates = session("pilates", seller=STUDIO)
    quoted = after(situation(YOGA, pilates), quote(request(item(YOGA))))
    with pytest.raises(InvalidAuthorizationDetailsError):
        DeleteQuote(caller=FOR_STUDIO, uuid=UUID).decide(quoted)
    elsewhere = request(item(pilates), seller=STUDIO.key)
    with pytest.raises(InvalidAuthorizationDetailsError):
        quote(elsewhere, caller=FOR_STUDIO).decide(quoted)


def test_a_caller_may_not_act_for_a_barred_seller() -> None:
    caller = Caller("alice", None, frozenset({CENTRE.key}))
    caller.check_may_act_for(STUDIO.key)
    with pytest.raises(InvalidAuthorizationDetailsError):
        caller.check_may_act_for(CENTRE.key)
