"""The record behind an Order UUID: the spaces that it claims, and its stored form."""

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import Claim, QuoteRecord, decode_record
from support.builders import NOW, UUID, after, book, item, propose, quote, request, session, situation
from support.parties import ALICE, CENTRE
from support.proposals import TRIP, order_of, places, proposed, record_in, standing

YOGA, SPIN = session("yoga"), session("spin")
PATH = YOGA[-1].path
ASKED = request(item(YOGA), item(YOGA, 1), item(SPIN, 2), total_payment_due=36)
EMPTY = situation(YOGA, SPIN)
BOOKED = after(EMPTY, book(ASKED))
RECORDS = {
    "quote": after(EMPTY, quote(ASKED)),
    "proposal": proposed(),
    "order": BOOKED,
    "deleted": after(BOOKED, DeleteOrder(caller=ALICE, uuid=UUID)),
}


def test_a_quote_of_the_first_versions_claims_the_spaces_of_its_order_quote() -> None:
    """The first versions stored the OrderQuote instead of the Lease."""
    answered = order_of(quote(ASKED).decide(EMPTY))
    faulty = replace(answered.items[0], number=4, opportunity=None)
    old = QuoteRecord(
        partner="alice",
        uuid=UUID,
        seller=CENTRE.key,
        order=replace(answered, items=(*answered.items, faulty)),
        lease_expires=NOW,
    )
    assert set(old.claims()) == {Claim(PATH, 2, NOW), Claim(SPIN[-1].path, 1, NOW)}


def test_an_open_proposal_without_a_hold_claims_no_space_until_the_end_of_its_lifetime() -> None:
    where = after(situation(TRIP, policy=Policy(leasing=Leasing.OFF)), propose(places(TRIP, TRIP)))
    assert record_in(where).claims() == (Claim(TRIP[-1].path, 0, standing(where).expires),)
    assert standing(where).expires


@pytest.mark.parametrize("kind", RECORDS)
def test_a_stored_record_is_decoded_as_the_class_of_its_kind(kind: str) -> None:
    record = record_in(RECORDS[kind])
    assert record.kind == kind
    assert decode_record(msgspec.json.encode(record)) == record


@pytest.mark.parametrize("kind", RECORDS)
def test_a_stored_record_is_decoded_in_any_order_of_its_fields(kind: str) -> None:
    record = record_in(RECORDS[kind])
    fields = msgspec.json.decode(msgspec.json.encode(record))
    backwards = dict(reversed(fields.items()))
    assert decode_record(msgspec.json.encode(backwards)) == record


def test_a_key_with_a_quotation_mark_hides_no_kind() -> None:
    record = replace(record_in(BOOKED), partner='a","kind":"quote')
    assert decode_record(msgspec.json.encode(record)) == record


def test_an_order_that_lacks_the_state_of_an_item_is_not_read() -> None:
    broken = replace(record_in(BOOKED), states=record_in(BOOKED).states[1:])
    with pytest.raises(ValueError, match="shorter"):
        broken.items()
