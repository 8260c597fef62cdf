"""The preview of a command, which returns the changes instead of making them."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command, Refusal
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.preview import Preview, Previewed
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import Order
from openbooking.booking.model.situation import Change, OpportunityRemoved, OpportunitySet, RecordSet
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import NotFoundError, OrderCreationFailedError
from support.builders import after, book, item, new_uuid, request, session, situation
from support.parties import MANAGER
from support.proposals import ACCEPT, PILATES, b, having, proposed

YOGA = session("yoga", capacity=1)
BOOK = book(request(item(YOGA)))
UNPUBLISH = SetSaleState(opportunity=YOGA[1].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)


def preview(command: Command[Any], *given: Change) -> Preview[Any]:
    return Preview(command=command, given=given, actor=MANAGER)


def test_a_preview_replies_with_reply_and_changes_and_makes_none() -> None:
    would = BOOK.decide(situation(YOGA))
    decision = preview(BOOK).decide(situation(YOGA))
    assert decision.reply == Previewed(would.reply, would.changes)
    assert would.changes
    assert decision.changes == ()


def test_given_changes_count_as_made_before_the_command() -> None:
    given = (OpportunityRemoved(YOGA[1].path), OpportunitySet(replace(YOGA[0], withdrawn=True)))
    assert preview(UNPUBLISH).decide(situation(YOGA)).reply.changes
    with pytest.raises(NotFoundError):
        preview(UNPUBLISH, *given).decide(situation(YOGA))
    with pytest.raises(NotFoundError):
        preview(replace(UNPUBLISH, opportunity=YOGA[0].path), *given).decide(situation(YOGA))


def test_a_given_change_of_a_loaded_record_counts() -> None:
    full = after(situation(YOGA), BOOK)
    again = replace(BOOK, uuid=new_uuid())
    order = preview(again, RecordSet(BOOK.key, None)).decide(full).reply.reply
    assert isinstance(order, Order)
    assert not order.has_errors


def test_a_given_change_of_a_record_that_was_not_loaded_is_counted_in_the_spaces_already() -> None:
    """The given changes after this change count."""
    other = replace(BOOK, uuid=new_uuid())
    given = (*other.decide(situation(YOGA)).changes, OpportunitySet(replace(YOGA[1], capacity=2)))
    where = situation(YOGA, spaces={YOGA[1].path: Spaces(booked=1)})
    order = preview(BOOK, *given).decide(where).reply.reply
    assert isinstance(order, Order)
    assert not order.has_errors


def test_a_preview_raises_the_refusal_of_its_command() -> None:
    off = having(proposed(PILATES), ACCEPT, replace(UNPUBLISH, opportunity=PILATES[1].path))
    assert isinstance(b().decide(off), Refusal)
    with pytest.raises(OrderCreationFailedError, match="not on sale"):
        preview(b()).decide(off)


def test_a_preview_raises_the_error_of_its_command() -> None:
    with pytest.raises(NotFoundError):
        preview(Publish((YOGA[1],), actor=MANAGER)).decide(situation())
