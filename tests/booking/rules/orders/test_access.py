"""Access codes, passes and channels, which are unique to each OrderItem (OB 8.7)."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.seller_decisions import RenewAccess
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Access, OrderKey, Reflected
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.access import grant_access
from support.builders import BY_MANAGER, PRICE, UUID, after, book, item, request, session, situation
from support.parties import ALICE, MANAGER

KEY = OrderKey("alice", UUID)
CHANNEL = {"@type": "VirtualLocation", "name": "Room", "url": "https://example.com/{code}", "accessCode": "{code}"}
RULES = AccessRules(code=True, pass_image="https://example.com/{code}.png", barcode="code128", channel=CHANNEL)
OWN = {"@type": "Barcode", "text": "MEMBER-1", "beta:codeType": "code39"}
GUARDED = session("guarded", access=RULES)


def granted(rules: AccessRules | None = RULES, number: int = 1, nonce: str = "n", *own: Reflected) -> Access:
    access = grant_access(rules, nonce, number, own)
    assert access is not None
    return access


def test_an_opportunity_without_access_rules_has_no_access_data() -> None:
    assert grant_access(None, "n", 1) is None
    assert grant_access(AccessRules(), "n", 1) == Access()


@pytest.mark.spec("OB-ACC-01", "OB-ACC-02", "OB-ACC-04", "OB-ACC-06", "OB-ACC-08")
@pytest.mark.parametrize(
    ("rules", "code", "types", "channel"),
    [
        (AccessRules(code=True), True, [], False),
        (AccessRules(pass_image="https://example.com/{code}.png"), False, ["ImageObject"], False),
        (AccessRules(barcode="qr"), False, ["Barcode"], False),
        (AccessRules(channel=CHANNEL), False, [], True),
        (RULES, True, ["ImageObject", "Barcode"], True),
    ],
)
def test_each_rule_gives_its_kind_of_access(rules: AccessRules, code: bool, types: list[str], channel: bool) -> None:
    access = granted(rules)
    found = (bool(access.code), [sent["@type"] for sent in access.passes], bool(access.channel))
    assert found == (code, types, channel)


@pytest.mark.spec("OB-ACC-07", "OB-ACC-08", "OB-ACC-09", "OB-ACC-10")
def test_a_barcode_has_its_text_and_a_picture() -> None:
    image, barcode = granted().passes
    assert barcode["beta:codeType"] == "code128"
    assert barcode["text"].isdecimal()
    assert barcode["url"] == f"https://example.com/{barcode['text']}.png"
    assert image["url"] != barcode["url"]


@pytest.mark.spec("OB-ACC-13")
def test_a_channel_has_the_code_in_each_of_its_texts() -> None:
    channel = granted().channel
    assert channel is not None
    assert channel["url"] == f"https://example.com/{channel['accessCode']}"
    assert channel["name"] == "Room"


@pytest.mark.spec("OB-ACC-01", "OB-ACC-03")
def test_every_code_is_unique_among_items_and_passes() -> None:
    access = [granted(RULES, number, nonce) for nonce in ("m", "n") for number in range(1, 501)]
    codes = [found.code for found in access]
    texts = [found.passes[1]["text"] for found in access]
    pictures = [sent["url"] for found in access for sent in found.passes]
    channels = [(found.channel or {})["accessCode"] for found in access]
    assert len({*codes, *texts, *channels}) == len(codes) + len(texts) + len(channels)
    assert len(set(pictures)) == len(pictures)
    assert granted(RULES, 7, "n") == access[506]


@pytest.mark.spec("OB-ACC-11", "OB-ACC-12")
@pytest.mark.parametrize("rules", [None, AccessRules(), RULES])
def test_a_barcode_of_the_broker_is_returned_with_the_passes_of_this_system(rules: AccessRules | None) -> None:
    access = granted(rules, 1, "n", OWN)
    assert access.own_passes == (OWN,)
    assert access.passes == (granted(RULES).passes if rules is RULES else ())


def booked() -> Situation:
    """Three spaces: the first with a barcode of the Broker, the last cancelled."""
    items = [item(GUARDED, position, access_passes=(OWN,) if position == 0 else ()) for position in range(3)]
    where = after(situation(GUARDED), book(request(*items, total_payment_due=3 * PRICE)))
    return after(where, Cancel(caller=ALICE, uuid=UUID, numbers=(3,)))


def access_in(where: Situation) -> list[Access]:
    return [found.access for found, _ in where.records[KEY].items() if found.access]


@pytest.mark.spec("OB-NOTIF-08", "OB-ACC-12")
@pytest.mark.parametrize("renewed", ["code", "passes", "channel"])
def test_renewed_codes_are_new_and_the_others_stay(renewed: str) -> None:
    before = booked()
    where = after(before, replace(RenewAccess(order=KEY, nonce="other", actor=MANAGER), **{renewed: True}))
    for old, new in zip(access_in(before)[:2], access_in(where)[:2], strict=True):
        assert getattr(new, renewed) != getattr(old, renewed)
        assert replace(new, **{renewed: getattr(old, renewed)}) == old
    assert access_in(where)[2] == access_in(before)[2]
    assert access_in(where)[0].own_passes == (OWN,)
    changed = [replace(state, access=None) for state in where.records[KEY].states]
    assert changed[:2] == [replace(state, changed=BY_MANAGER) for state in before.records[KEY].states[:2]]
    assert changed[2:] == list(before.records[KEY].states[2:])


@pytest.mark.spec("OB-NOTIF-08", "OB-OF-02")
@pytest.mark.parametrize(
    ("rules", "changes"),
    [(None, {"code": True, "passes": True, "channel": True}), (AccessRules(code=True), {"channel": True}), (RULES, {})],
)
def test_a_renewal_without_access_rules_changes_nothing(rules: AccessRules | None, changes: dict[str, Any]) -> None:
    family = session("guarded", access=rules)
    where = after(situation(family), book(request(item(family))))
    assert RenewAccess(order=KEY, nonce="other", actor=MANAGER, **changes).decide(where).changes == ()


@pytest.mark.spec("OB-NOTIF-08")
def test_one_item_can_be_renewed_alone() -> None:
    before = booked()
    where = after(before, RenewAccess(order=KEY, numbers=frozenset({2}), nonce="other", code=True, actor=MANAGER))
    changed = [old != new for old, new in zip(access_in(before), access_in(where), strict=True)]
    assert changed == [False, True, False]


@pytest.mark.spec("OB-ACC-01")
def test_a_code_has_twelve_digits() -> None:
    codes = [granted(AccessRules(code=True), number).code or "" for number in range(1, 101)]
    assert all(code.isdecimal() for code in codes)
    assert {len(code) for code in codes} == {12}


@pytest.mark.spec("OB-ACC-13")
def test_values_of_a_channel_that_are_no_text_stay_as_they_are() -> None:
    channel = granted(AccessRules(channel={"@type": "VirtualLocation", "maximumAttendeeCapacity": 20})).channel
    assert channel == {"@type": "VirtualLocation", "maximumAttendeeCapacity": 20}
