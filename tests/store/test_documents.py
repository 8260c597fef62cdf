"""Documents that earlier versions stored are read and written again without loss, or there is a migration.

The documents in `documents/TABLE/` are as the first version wrote them, and never change. Their people are invented. If
a change adds stored fields, add documents with these fields. If an old document is not read correctly any more, write a
migration.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.booking.model.record import Claim, OrderRecord, ProposalRecord, Record, RecordKind
from openbooking.booking.rules.orders.order_lines import order_lines
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus
from openbooking.store.documents import (
    decode_entry,
    decode_opportunity,
    decode_record,
    decode_seller,
    encode,
    encode_record,
)
from openbooking.store.identity.schema import TABLES
from openbooking.store.identity.store import _DECODERS
from openbooking.store.schema import metadata
from openbooking.testing.samples import order

DOCUMENTS = Path(__file__).with_name("documents")
STORED = sorted(str(file.relative_to(DOCUMENTS)) for file in DOCUMENTS.glob("*/*.json"))
DECODERS: dict[str, Callable[[bytes], Any]] = {
    "seller": decode_seller,
    "opportunity": decode_opportunity,
    "record": lambda document: decode_record(document, None),
    "personal_data": msgspec.json.Decoder(PersonalData).decode,
    "activity": msgspec.json.Decoder(Activity).decode,
    "timetable_entry": decode_entry,
    "order_event": msgspec.json.Decoder(AnyOrderEvent).decode,
    **{table.name: _DECODERS[kind] for kind, table in TABLES.items()},
}


def record(name: str) -> Record:
    """Return the record with its personal data, if it has any."""
    personal = DOCUMENTS / "personal_data" / f"{name}.json"
    document = (DOCUMENTS / "record" / f"{name}.json").read_bytes()
    return decode_record(document, personal.read_bytes() if personal.exists() else None)


def test_every_table_with_documents_has_stored_examples() -> None:
    tables = {table.name for table in metadata.tables.values() if "document" in table.columns}
    assert {Path(name).parent.name for name in STORED} == set(DECODERS) == tables


@pytest.mark.parametrize("name", STORED)
def test_a_stored_document_is_decoded_and_encoded_without_loss(name: str) -> None:
    stored = (DOCUMENTS / name).read_bytes()
    document = json.loads(stored)
    again = json.loads(encode(DECODERS[Path(name).parent.name](stored)))
    assert {key: again.get(key) for key in document} == document


# This document was written by hand. Its stamps are in another order than in stored documents.
BY_HAND = {"record/order_stamped.json"}


@pytest.mark.parametrize("name", sorted({name for name in STORED if name.startswith("record/")} - BY_HAND))
def test_a_record_is_stored_byte_for_byte_as_earlier_versions_store_it(name: str) -> None:
    document = json.loads((DOCUMENTS / name).read_bytes())
    stored = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    assert encode_record(decode_record(stored, None)) == stored


def test_a_record_is_read_in_whatever_order_its_fields_are() -> None:
    for name in ("quote_with_lease", "proposal", "order", "deleted"):
        document = json.loads((DOCUMENTS / "record" / f"{name}.json").read_bytes())
        backwards = json.dumps(dict(reversed(document.items()))).encode()
        assert decode_record(backwards, None) == decode_record(json.dumps(document).encode(), None)


def test_a_stored_order_keeps_its_meaning() -> None:
    stored = record("order")
    (cancelled, (given, replaced)) = stored.items()[0][1], stored.items()[1]
    assert stored.claims() == (Claim("scheduled-sessions/plain", 1, None),)
    assert (stored.in_orders_feed, stored.in_proposals_feed) == (True, False)
    assert cancelled.status is OrderItemStatus.SELLER_CANCELLED
    assert (replaced.status, replaced.logistics_changed) == (OrderItemStatus.CONFIRMED, True)
    assert given.offer is not None
    assert str(given.offer.price) == "9.00"
    assert stored.order is not None
    assert stored.order.personal is not None
    assert set(stored.order.personal.attendees) == set(stored.order.personal.intake_answers) == {1, 2}
    assert b"ann@example.com" not in encode_record(stored)


def test_stored_leases_proposals_and_stubs_keep_their_meaning() -> None:
    quote, proposal, deleted = (record(name) for name in ("quote", "proposal", "deleted"))
    until = datetime(2027, 3, 1, 12, 15, tzinfo=UTC)
    assert quote.claims() == (Claim("scheduled-sessions/dive", 1, until),)
    assert isinstance(proposal, ProposalRecord)
    assert proposal.proposal.status is OrderProposalStatus.ACCEPTED
    assert list(proposal.items_by_number()) == [1]
    assert (proposal.in_proposals_feed, len(proposal.claims())) == (True, 1)
    assert (deleted.kind, deleted.claims(), deleted.in_orders_feed) == (RecordKind.DELETED, (), False)
    dynamic = record("order_without_price")
    assert dynamic.order is not None
    assert (dynamic.order.dynamic, dynamic.withheld, dynamic.in_orders_feed) == (True, True, False)


def test_an_order_keeps_what_it_was_sold_as_between_two_replacements() -> None:
    lines = order_lines(record("order_replaced_twice"))
    assert [(line.opportunity, line.replaced, str(line.price)) for line in lines] == [
        ("scheduled-sessions/yoga", 1, "12.00"),
        ("scheduled-sessions/swim", 2, "5.00"),
        ("scheduled-sessions/walk", 0, "2.00"),
    ]


def test_an_order_of_the_desk_keeps_its_later_payments_and_older_orders_have_none() -> None:
    paid, before = record("order_paid_later"), record("order_stamped")
    assert isinstance(paid, OrderRecord)
    assert isinstance(before, OrderRecord)
    assert [(each.amount, each.means, each.reference) for each in paid.payments] == [(Decimal(12), "card", "slip 7")]
    assert before.payments == ()


def test_consents_stored_before_term_ids_stay_valid() -> None:
    decode_user, decode_grant = DECODERS["seller_user"], DECODERS["partner_grant"]
    for name, grant in (("ann", "acme_for_riverside"), ("eve", "acme_for_pine")):
        user = decode_user((DOCUMENTS / "seller_user" / f"{name}.json").read_bytes())
        agreed = decode_grant((DOCUMENTS / "partner_grant" / f"{grant}.json").read_bytes()).agreed_by
        assert agreed == {user.account}


def test_grants_keep_the_terms_that_were_agreed_and_older_ones_have_none() -> None:
    decode = DECODERS["partner_grant"]
    before, later = (
        decode((DOCUMENTS / "partner_grant" / f"{name}.json").read_bytes()).terms
        for name in ("acme_for_pine", "acme_on_terms")
    )
    assert before == NO_TERMS
    assert later == GrantTerms(
        offer_overrides=True,
        dynamic_accounts=frozenset({"MOVE"}),
        venues=frozenset({"Riverside Centre, TE5 7AB"}),
        activities=frozenset({"https://openactive.io/activity-list#c07d63a0-8eb9-4602-8bcc-23be6deb8f83"}),
        offers=frozenset({OfferRef("session-series/series-dive", "adult")}),
        open_quotes=5,
        open_proposals=2,
    )


@pytest.mark.spec("OB-B-10")
def test_the_fingerprint_of_a_repeated_booking_is_the_same_in_every_version() -> None:
    assert order("yoga", "spin").fingerprint() == "669bf5faa8bb8529487105363357efe4de87b4151774a42d7b87a001eeeb97b5"
