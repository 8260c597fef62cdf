"""The fingerprints by which repeats of B and P are recognised."""

import pytest
from msgspec.structs import replace

from openbooking.booking.rules.orders.fingerprint import (
    fingerprint_key,
    keyed_fingerprint,
    matches_fingerprint,
    personal_data_of,
)
from openbooking.booking.rules.orders.lifecycle import deleted_record
from support.builders import BY_MANAGER, after, book, item, order_record, request, session, situation

YOGA = session()
ASKED = request(item(YOGA))


@pytest.mark.spec("OB-B-10", "OB-B-11")
def test_only_the_request_that_made_a_record_matches_its_fingerprint() -> None:
    record = order_record(after(situation(YOGA), book(ASKED)))
    assert matches_fingerprint(record, ASKED.fingerprint())
    assert not matches_fingerprint(record, replace(ASKED, customer=None).fingerprint())
    assert record.fingerprint != ASKED.fingerprint()


def test_no_request_matches_a_record_without_its_fingerprint_key() -> None:
    record = order_record(after(situation(YOGA), book(ASKED)))
    personal = personal_data_of(record)
    assert personal is not None
    without_key = replace(record.order, personal=replace(personal, fingerprint_key=""))
    for changed in (
        replace(record, order=without_key),
        replace(record, order=replace(record.order, personal=None)),
        replace(record, fingerprint=None),
    ):
        assert not matches_fingerprint(changed, ASKED.fingerprint())


def test_the_key_is_made_of_the_nonce_and_changes_the_fingerprint() -> None:
    one, other = fingerprint_key("one"), fingerprint_key("other")
    assert "one" not in one
    keyed = {keyed_fingerprint(key, "digest") for key in (one, other)}
    assert len({one, other, *keyed, keyed_fingerprint(one, "another")}) == 5


def test_a_deleted_order_has_no_personal_data() -> None:
    record = order_record(after(situation(YOGA), book(ASKED)))
    assert personal_data_of(deleted_record(record, BY_MANAGER)) is None
