"""The Seller replaces a booked Opportunity at the same price or less (OB 8.4.3.1, 8.4.6)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, RenewAccess, SellerCancel
from openbooking.booking.model.opportunity import AccessRules, FormField, Opportunity
from openbooking.booking.model.order import Access, OrderKey, Payment
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest
from openbooking.booking.model.policy import Policy, TaxCalculation
from openbooking.booking.model.situation import OpportunitySet, Situation, evolve
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.errors import (
    NotFoundError,
    RequestTooLargeError,
    UnacceptableReplacementError,
    UnknownOrderError,
)
from openbooking.openactive.ids import FormFieldRef, OfferRef
from openbooking.openactive.money import PRICE_LIMIT, VatTreatment
from openbooking.openactive.terms import (
    SCHEMA,
    Availability,
    EventStatus,
    FlowRequirement,
    FormFieldType,
    OrderItemStatus,
)
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    book,
    event,
    item,
    offer,
    order_record,
    request,
    session,
    situation,
    slot,
)
from support.parties import AGREED_ALICE, ALICE, MANAGER, STUDIO
from support.proposals import having

YOGA = session("yoga", access=AccessRules(code=True))
SPIN = session("spin", price=Decimal("9.00"), access=AccessRules(code=True))
SWIM = session("swim", price=Decimal("9.00"))
KEY = OrderKey("alice", UUID)
OWN = {"@type": "Barcode", "text": "MEMBER-1"}


def booked(count: int = 1, *known: list[Opportunity], policy: Policy | None = None, **changes: Any) -> Situation:
    """The situation after B of this number of spaces of yoga, with further Opportunities."""
    items = [item(YOGA, position, access_passes=(OWN,)) for position in range(count)]
    where = situation(YOGA, SPIN, SWIM, *known, policy=policy)
    return after(where, book(replace(request(*items, total_payment_due=PRICE * count), **changes)))


def replacing(family: list[Opportunity], number: int = 1) -> Replace:
    """The command that replaces an item by a space of this Opportunity."""
    owner = next(one for one in reversed(family) if one.offers)
    return Replace(
        order=KEY, number=number, opportunity=family[-1].path, offer=owner.offers[0].ref, nonce="other", actor=MANAGER
    )


def left(where: Situation, family: list[Opportunity]) -> Spaces:
    return where.spaces[family[-1].path]


@pytest.mark.spec("OB-SEL-05", "OB-SEL-06", "OB-SEL-07", "OB-SEL-08", "OB-SEL-09", "OB-SEL-10", "OB-OF-18")
def test_an_item_is_replaced_at_the_same_price_or_less_and_the_others_stay() -> None:
    before = after(booked(3), Notify(order=KEY, notice="Bring a mat.", actor=MANAGER))
    where = after(before, replacing(SPIN, 2))
    (first, (was, _), third), (now_first, (replaced, state), now_third) = (
        record.items() for record in (before.records[KEY], where.records[KEY])
    )
    assert (now_first, now_third) == (first, third)
    assert (replaced.opportunity, replaced.parents) == (SPIN[-1], (replace(SPIN[0], offers=()),))
    assert (replaced.offer, replaced.number) == (SPIN[0].offers[0], 2)
    assert [charge.price for charge in replaced.tax] == [Decimal("1.50")]
    assert (state.status, state.customer_notice) == (OrderItemStatus.CONFIRMED, "Bring a mat.")
    assert replaced.access is not None
    assert was.access is not None
    assert (replaced.access.code == was.access.code, replaced.own_passes) == (False, (OWN,))
    totals = current_totals(order_record(where))
    assert (totals.price, [charge.price for charge in totals.tax]) == (Decimal("33.00"), [Decimal("5.50")])
    assert (left(where, YOGA), left(where, SPIN)) == (Spaces(booked=2), Spaces(booked=1))
    assert where.records[KEY].order == before.records[KEY].order


@pytest.mark.spec("OB-SEL-05", "OB-SEL-07", "OB-SEL-08", "OB-OF-18")
def test_a_replacement_can_be_replaced_renewed_and_cancelled() -> None:
    once = after(booked(), replacing(SPIN))
    twice = after(once, replacing(SWIM))
    assert [found.opportunity for found, _ in twice.records[KEY].items()] == [SWIM[-1]]
    assert (left(twice, YOGA), left(twice, SPIN), left(twice, SWIM)) == (Spaces(), Spaces(), Spaces(booked=1))
    with pytest.raises(UnacceptableReplacementError):
        replacing(YOGA).decide(twice)
    dearer = replace(SPIN[0], offers=(replace(SPIN[0].offers[0], price=Decimal("20.00")),))
    later = having(
        once,
        Publish((dearer,), actor=MANAGER),
        RenewAccess(order=KEY, nonce="third", code=True, actor=MANAGER),
        Cancel(caller=ALICE, uuid=UUID, numbers=(1,)),
    )
    ((found, state),) = later.records[KEY].items()
    assert (found.offer, state.status) == (SPIN[0].offers[0], OrderItemStatus.CUSTOMER_CANCELLED)
    assert found.access != once.records[KEY].items()[0][0].access
    assert left(later, SPIN) == Spaces()


@pytest.mark.spec("OB-SEL-05", "OB-SEL-07")
def test_a_replacement_must_not_cost_more_because_of_tax() -> None:
    """The prices of the studio are net: 12.00 without tax is less than 11.00 with tax."""
    exempt = session("exempt", seller=STUDIO, offers=(offer("session-series/series-exempt", vat=VatTreatment.EXEMPT),))
    taxed, same = (
        session(key, seller=STUDIO, offers=(offer(f"session-series/series-{key}", price=price, vat=vat),))
        for key, price, vat in (
            ("taxed", PRICE - 1, VatTreatment.STANDARD),
            ("same", PRICE, VatTreatment.ZERO_RATED),
        )
    )
    asked = request(item(exempt), seller=STUDIO.key, seller_id=STUDIO.key)
    where = after(situation(exempt, taxed, same), book(asked))
    assert current_totals(order_record(where)).price == PRICE
    with pytest.raises(UnacceptableReplacementError):
        replacing(taxed).decide(where)
    assert current_totals(order_record(after(where, replacing(same)))).price == PRICE
    excluded = situation(exempt, taxed, policy=Policy(tax=TaxCalculation.NEVER))
    untaxed = after(excluded, book(asked))
    assert current_totals(order_record(after(untaxed, replacing(taxed)))).price == PRICE - 1


def priced(**changes: Any) -> list[Opportunity]:
    return session("other", offered=changes)


@pytest.mark.spec("OB-SEL-05", "OB-SEL-06", "OB-SEL-07")
@pytest.mark.parametrize(
    "other",
    [
        priced(price=PRICE + Decimal("0.01")),
        priced(prepayment=Availability.OPTIONAL),
        priced(prepayment=Availability.UNAVAILABLE),
        priced(price=Decimal(0), currency=None),
        priced(currency="EUR"),
        priced(in_advance=Availability.UNAVAILABLE),
        session("other", capacity=0),
        session("other", capacity=None),
        session("other", status=EventStatus.CANCELLED),
        session("other", start=NOW.replace(year=2026), end=NOW.replace(year=2026, month=4)),
        session("other", seller=STUDIO),
        YOGA,
    ],
    ids=[
        "dearer",
        "payment optional",
        "payment unavailable",
        "free",
        "another currency",
        "not in advance",
        "full",
        "no capacity",
        "cancelled",
        "over",
        "another Seller",
        "the same",
    ],
)
def test_an_unacceptable_replacement_is_refused(other: list[Opportunity]) -> None:
    with pytest.raises(UnacceptableReplacementError):
        replacing(other).decide(booked(1, other))


@pytest.mark.spec("OB-SEL-05", "OB-SEL-07")
@pytest.mark.parametrize("currency", [None, "GBP", "EUR"])
def test_an_item_without_prepayment_can_be_replaced_by_a_free_one(currency: str | None) -> None:
    later = session("later", offered={"prepayment": Availability.UNAVAILABLE})
    free = session("free", offered={"price": Decimal(0), "currency": currency})
    where = after(situation(later, free), book(request(item(later), payment=None)))
    assert current_totals(order_record(where)).price == PRICE
    given = after(where, replacing(free))
    assert current_totals(order_record(given)).price == 0
    with pytest.raises(UnacceptableReplacementError):
        replacing(later).decide(given)


@pytest.mark.spec("OB-SEL-06")
def test_an_offer_must_apply_and_an_opportunity_must_be_known() -> None:
    foreign = Replace(order=KEY, number=1, opportunity=SPIN[-1].path, offer=SWIM[0].offers[0].ref, actor=MANAGER)
    unknown = Replace(
        order=KEY, number=1, opportunity="scheduled-sessions/none", offer=SPIN[0].offers[0].ref, actor=MANAGER
    )
    missing = Replace(
        order=KEY, number=1, opportunity=SPIN[-1].path, offer=OfferRef(SPIN[0].path, "none"), actor=MANAGER
    )
    for command in (foreign, unknown, missing):
        with pytest.raises(UnacceptableReplacementError):
            command.decide(booked())


@pytest.mark.spec("OB-SEL-06", "OB-SEL-07")
def test_another_offer_of_a_full_class_can_replace_an_item_that_holds_a_space_there() -> None:
    series = YOGA[0].path
    two = (offer(series), offer(series, "member", price=Decimal("5.00")))
    full = session("yoga", capacity=1, offers=two)
    where = after(situation(full), book(request(item(full))))
    given = Replace(order=KEY, number=1, opportunity=full[-1].path, offer=two[1].ref, actor=MANAGER)
    assert left(after(where, given), full) == Spaces(booked=1)
    assert current_totals(order_record(after(where, given))).price == Decimal("5.00")


@pytest.mark.spec("OB-SEL-06", "OB-SEL-10")
@pytest.mark.parametrize(
    "other", [slot("hall", individual=False), slot("court"), event("run")], ids=lambda f: f[-1].type
)
def test_any_type_of_opportunity_can_be_a_replacement(other: list[Opportunity]) -> None:
    where = after(booked(1, other), replacing(other))
    assert [found.opportunity for found, _ in where.records[KEY].items()] == [replace(other[-1], offers=())]


@pytest.mark.spec("OB-SEL-06", "OB-CAN-17")
@pytest.mark.parametrize(
    "command",
    [
        Cancel(caller=ALICE, uuid=UUID, numbers=(1,)),
        SellerCancel(order=KEY, actor=MANAGER),
        RecordAttendance(order=KEY, attended=True, actor=MANAGER),
        RecordAttendance(order=KEY, attended=False, actor=MANAGER),
    ],
    ids=["by the customer", "by the seller", "attended", "absent"],
)
def test_only_a_confirmed_item_is_replaced(command: Any) -> None:
    with pytest.raises(UnacceptableReplacementError):
        replacing(SPIN).decide(after(booked(), command))


def test_a_replacement_of_an_unknown_order_or_item_is_refused() -> None:
    with pytest.raises(UnknownOrderError):
        replacing(SPIN).decide(situation(YOGA, SPIN))
    for number in (0, 2, -1):
        with pytest.raises(NotFoundError):
            replacing(SPIN, number).decide(booked())


@pytest.mark.spec("OB-DYN-10", "OB-SEL-06")
def test_an_item_booked_without_a_price_is_replaced_without_one() -> None:
    policy = Policy(dynamic_accounts=frozenset())
    asked = request(
        item(YOGA, offer_id=None, offer=None),
        total_payment_due=None,
        payment=Payment(dynamic=True, identifier="p", account_id="MOVE"),
    )
    where = after(situation(YOGA, SPIN, policy=policy), book(asked, AGREED_ALICE))
    ((found, _),) = after(where, replacing(SPIN)).records[KEY].items()
    assert found.offer is not None
    assert (found.offer.price, found.tax) == (Decimal(0), ())


KIT, LEVEL = (
    FormField(key=key, type=FormFieldType.SHORT_ANSWER, name=key.title(), description="Which?", required=True)
    for key in ("kit", "level")
)
PHOTOS = FormField(key="photos", type=FormFieldType.BOOLEAN, name="Photos", description="May we?", required=True)
DIVE = session("dive", offered={"attendee_details": (f"{SCHEMA}givenName",), "intake_form": (KIT,)})
ANN = {"@type": "Person", "givenName": "Ann", "telephone": "0815"}


def diving() -> tuple[ItemRequest, ...]:
    """Two spaces of the dive: for Ann with all required details, and for Ben without further details."""
    answers = (IntakeAnswer(field=FormFieldRef(DIVE[0].offers[0].ref, KIT.key), sent={"value": "A mask"}),)
    people = (ANN, {"@type": "Person", "givenName": "Ben"})
    return tuple(item(DIVE, n, attendee=who, intake_answers=answers) for n, who in enumerate(people))


@pytest.mark.spec("OB-SEL-06", "OB-CUST-11", "OB-FORM-09")
@pytest.mark.parametrize(
    ("asked", "lacks"),
    [
        ({"attendee_details": (f"{SCHEMA}givenName",), "intake_form": (KIT,)}, ["", ""]),
        ({"attendee_details": (f"{SCHEMA}telephone",)}, ["", "telephone"]),
        ({"attendee_details": (f"{SCHEMA}email",)}, ["email", "email"]),
        ({"intake_form": (KIT, replace(LEVEL, required=False), PHOTOS)}, ["", ""]),
        ({"intake_form": (KIT, LEVEL)}, ["Level", "Level"]),
        ({"intake_form": (replace(KIT, description="Which size?"),)}, ["Kit", "Kit"]),
    ],
    ids=["the same", "told by one", "told by nobody", "optional", "another question", "asked otherwise"],
)
def test_an_offer_that_requires_missing_details_is_refused_with_the_reason(
    asked: dict[str, Any], lacks: list[str]
) -> None:
    other = session("other", offered=asked)
    where = after(situation(DIVE, other), book(request(*diving(), total_payment_due=PRICE * 2)))
    for number, lack in enumerate(lacks, 1):
        if lack:
            with pytest.raises(UnacceptableReplacementError, match=lack):
                replacing(other, number).decide(where)
        else:
            assert replacing(other, number).decide(where).changes


@pytest.mark.spec("OB-SEL-06", "OB-FORM-09")
def test_the_details_of_b_count_after_a_replacement_that_did_not_require_them() -> None:
    swim = session("swim")
    where = after(situation(DIVE, swim), book(request(*diving(), total_payment_due=PRICE * 2)))
    there_and_back = having(where, replacing(swim), replacing(DIVE))
    ((found, _), _) = there_and_back.records[KEY].items()
    assert (found.opportunity, found.offer) == (DIVE[-1], DIVE[0].offers[0])


@pytest.mark.spec("OB-SEL-06")
def test_an_item_booked_without_details_is_not_replaced_by_one_that_requires_them() -> None:
    with pytest.raises(UnacceptableReplacementError, match=r"givenName.*Kit"):
        replacing(DIVE).decide(booked(1, DIVE))


@pytest.mark.spec("OB-SEL-06", "OB-APP-19")
def test_the_replacement_itself_is_the_approval_of_the_seller() -> None:
    trip = session("trip", offered={"flow": (FlowRequirement.APPROVAL,)})
    where = after(booked(1, trip), replacing(trip))
    assert [found.opportunity for found, _ in where.records[KEY].items()] == [trip[-1]]


def renewed_codes(nonce: str) -> list[str | None]:
    """The access codes of two items that are replaced with this nonce."""
    where = having(booked(2), *(replace(replacing(SPIN, number), nonce=nonce) for number in (1, 2)))
    return [found.access.code for found, _ in where.records[KEY].items() if found.access]


@pytest.mark.spec("OB-ACC-01")
def test_each_replaced_item_has_an_access_code_of_its_own_that_nobody_can_guess() -> None:
    first, second = renewed_codes("other")
    assert first
    assert second
    assert len({first, second, *renewed_codes("third")}) == 4


def test_a_replaced_item_loses_renewed_access_and_the_mark_of_changed_logistics() -> None:
    where = having(
        booked(),
        RenewAccess(order=KEY, nonce="third", code=True, actor=MANAGER),
        ChangeLogistics(opportunity=YOGA[-1].path, start=NOW + timedelta(days=1), actor=MANAGER),
    )
    assert where.records[KEY].states[0].logistics_changed
    ((found, state),) = after(where, replacing(SWIM)).records[KEY].items()
    assert state.logistics_changed is False
    assert found.access == Access(own_passes=(OWN,))


def test_a_full_opportunity_is_not_accepted_as_a_replacement() -> None:
    full = replace(booked(), spaces={SPIN[-1].path: Spaces(booked=9, leased=1)})
    with pytest.raises(UnacceptableReplacementError, match="is full"):
        replacing(SPIN).decide(full)


@pytest.mark.parametrize(("taken", "accepted"), [(10, True), (11, False)])
def test_another_offer_of_an_oversold_opportunity_is_not_accepted(taken: int, accepted: bool) -> None:
    """The replaced item has one of the sold spaces."""
    other = offer(YOGA[0].path, key="other")
    where = evolve(booked(), OpportunitySet(replace(YOGA[0], offers=(*YOGA[0].offers, other))))
    where = replace(where, spaces={**where.spaces, YOGA[-1].path: Spaces(booked=taken)})
    command = replace(replacing(YOGA), offer=other.ref)
    if accepted:
        ((found, _),) = after(where, command).records[KEY].items()
        assert found.offer == other
    else:
        with pytest.raises(UnacceptableReplacementError, match="is full"):
            command.decide(where)


def test_a_price_that_cannot_be_paid_is_refused_as_a_replacement() -> None:
    dearest = session("dearest", price=PRICE_LIMIT - 1)
    with pytest.raises(UnacceptableReplacementError):
        replacing(dearest).decide(booked(1, dearest))


def test_an_order_that_is_too_large_already_may_be_replaced_if_it_does_not_grow() -> None:
    small = replace(booked(), policy=Policy(max_order_bytes=1))
    with pytest.raises(RequestTooLargeError):
        replacing(SWIM).decide(small)
    replaced = replace(after(booked(), replacing(SPIN)), policy=Policy(max_order_bytes=1))
    assert after(replaced, replacing(SWIM)).records[KEY].items()[0][0].opportunity == SWIM[-1]


@pytest.mark.parametrize("asks", [True, False])
def test_an_order_without_personal_data_is_replaced_by_an_offer_that_asks_for_none(asks: bool) -> None:
    erased = after(booked(), ErasePersonalData(over_before=NOW + timedelta(days=9)))
    other = session("other", offered={"attendee_details": (f"{SCHEMA}telephone",) if asks else ()})
    where = replace(erased, opportunities={**erased.opportunities, **{member.path: member for member in other}})
    if asks:
        with pytest.raises(UnacceptableReplacementError, match="telephone"):
            replacing(other).decide(where)
    else:
        assert after(where, replacing(other)).records[KEY].items()[0][0].opportunity == other[-1]
