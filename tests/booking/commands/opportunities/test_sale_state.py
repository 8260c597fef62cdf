"""The sale state, by decision of a Seller or of an import that does not understand an Opportunity."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.report import AffectedOrders, OpportunityReport
from openbooking.booking.model.situation import OpportunitySet, Situation
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.errors import NotFoundError, OrderCreationFailedError, UnacceptableReplacementError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import OrderItemStatus
from support.builders import BY_MANAGER, UUID, after, book, item, propose, quote, request, session, situation, slot
from support.parties import ALICE, MANAGER
from support.proposals import ACCEPT, KEY, PILATES, SELLER_REJECTED, TRIP, b, having, places, proposed, standing

YOGA = session("yoga")
COURT = slot("court")
NOT_BOOKABLE = ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
OFF_SALE = [SaleState.UNPUBLISHED, SaleState.NOT_UNDERSTOOD, SaleState.OVER]


def take_off(member: Opportunity, sale: SaleState = SaleState.UNPUBLISHED) -> SetSaleState:
    return SetSaleState(opportunity=member.path, sale=sale, actor=MANAGER)


def put_on(member: Opportunity) -> SetSaleState:
    return take_off(member, SaleState.ON_SALE)


def errors(where: Situation, command: Command[Any]) -> list[tuple[ItemErrorType, str | None]]:
    order = command.decide(where).reply
    assert isinstance(order, Order)
    return [(error.type, error.description) for item in order.items for error in item.errors]


ASKED = request(item(YOGA))
CHECKPOINTS = pytest.mark.parametrize(
    "command",
    [quote(ASKED, Checkpoint.C1), quote(ASKED), book(ASKED)],
    ids=["C1", "C2", "B"],
)
NOT_ON_SALE = [(NOT_BOOKABLE, "The Opportunity is not on sale.")]


@CHECKPOINTS
@pytest.mark.parametrize("state", OFF_SALE)
@pytest.mark.parametrize("member", YOGA, ids=["its series", "itself"])
def test_only_opportunities_on_sale_can_be_booked(command: Command[Any], state: SaleState, member: Opportunity) -> None:
    where = after(situation(YOGA), take_off(member, state))
    assert errors(where, command) == NOT_ON_SALE
    again = having(where, Publish((member,), actor=MANAGER), put_on(member))
    assert errors(again, command) == []


def test_an_opportunity_that_is_not_understood_goes_on_sale_by_a_new_version_only() -> None:
    mark = TakeOffSale(sources=frozenset({"feed-1"}), keep=frozenset({FED_YOGA[0].path}), actor=MANAGER)
    for spoilt in (mark, publish_yoga(SaleState.NOT_UNDERSTOOD)):
        unpublished = take_off(FED_YOGA[1])
        for commands in ((spoilt, unpublished), (unpublished, spoilt), (spoilt,)):
            where = having(situation(FED_YOGA), *commands, put_on(FED_YOGA[1]))
            assert not where.on_sale(FED_YOGA[1].path)
            assert having(where, publish_yoga(SaleState.ON_SALE)).on_sale(FED_YOGA[1].path)


def publish_yoga(sale: SaleState) -> Publish:
    return Publish((replace(FED_YOGA[1], sale=sale),), actor=MANAGER)


@pytest.mark.parametrize("member", TRIP, ids=["its series", "itself"])
def test_only_opportunities_on_sale_can_be_proposed(member: Opportunity) -> None:
    where = after(situation(TRIP), take_off(member))
    assert errors(where, propose(places(TRIP))) == NOT_ON_SALE


@pytest.mark.parametrize("member", COURT, ids=["its facility", "its court", "itself"])
def test_a_child_is_on_sale_only_if_all_its_parents_are(member: Opportunity) -> None:
    where = after(situation(COURT), take_off(member))
    assert errors(where, quote(request(item(COURT)))) == NOT_ON_SALE


def test_leased_spaces_cannot_be_booked_once_their_opportunity_is_off_sale() -> None:
    where = having(situation(YOGA), quote(ASKED), take_off(YOGA[1]))
    assert where.holds_spaces(where.records[OrderKey("alice", UUID)])
    assert errors(where, book(ASKED)) == NOT_ON_SALE


@pytest.mark.parametrize("member", PILATES, ids=["its series", "itself"])
def test_an_approved_proposal_cannot_be_booked_once_its_opportunity_is_off_sale(member: Opportunity) -> None:
    where = having(proposed(PILATES), ACCEPT, take_off(member))
    decision = b().decide(where)
    assert isinstance(decision.reply, OrderCreationFailedError)
    assert decision.reply.description == "The Opportunity is not on sale."
    assert standing(after(where, b())).status is SELLER_REJECTED
    assert isinstance(b().decide(after(where, put_on(member))).reply, Order)


def test_an_opportunity_off_sale_is_no_replacement() -> None:
    other = session("other")
    where = having(situation(YOGA, other), book(ASKED), take_off(other[0]))
    given = Replace(order=KEY, number=1, opportunity=other[1].path, offer=other[0].offers[0].ref, actor=MANAGER)
    with pytest.raises(UnacceptableReplacementError, match="not on sale"):
        given.decide(where)


@pytest.mark.parametrize("state", OFF_SALE)
def test_an_order_does_not_depend_on_the_sale_state(state: SaleState) -> None:
    where = after(situation(YOGA), book(ASKED))
    off = having(where, take_off(YOGA[0], state), take_off(YOGA[1], state))
    assert (off.records, off.spaces) == (where.records, where.spaces)
    assert book(ASKED).decide(off).reply == book(ASKED).decide(where).reply
    assert GetOrder(caller=ALICE, uuid=UUID).decide(off).reply == where.records[KEY]
    for command in (
        Notify(order=KEY, notice="Bring a mat.", actor=MANAGER),
        CancelOpportunity(opportunity=YOGA[1].path, actor=MANAGER),
        Cancel(caller=ALICE, uuid=UUID, numbers=(1,)),
    ):
        assert after(off, command).records == after(where, command).records
    told = after(off, ChangeLogistics(opportunity=YOGA[0].path, name="Tango", actor=MANAGER)).records[KEY]
    assert told.states[0].logistics_changed
    cancelled = after(off, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))).records[KEY]
    assert cancelled.states[0].status is OrderItemStatus.CUSTOMER_CANCELLED


@pytest.mark.parametrize("published", [SaleState.ON_SALE, SaleState.NOT_UNDERSTOOD])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (SaleState.ON_SALE, None),
        (SaleState.NOT_UNDERSTOOD, None),
        (SaleState.OVER, None),
        (SaleState.UNPUBLISHED, SaleState.UNPUBLISHED),
    ],
)
def test_a_publication_sets_the_sale_state_except_of_unpublished_opportunities(
    before: SaleState, published: SaleState, expected: SaleState | None
) -> None:
    where = after(situation(YOGA), take_off(YOGA[1], before))
    again = after(where, Publish((replace(YOGA[1], sale=published, capacity=7),), actor=MANAGER))
    both = expected is not None and published is SaleState.NOT_UNDERSTOOD
    sold = replace(YOGA[1], sale=expected or published, not_understood=both, capacity=7)
    assert again.opportunities[YOGA[1].path] == sold


@pytest.mark.parametrize("member", COURT, ids=["its facility", "its court", "itself"])
def test_children_are_published_anew_when_the_sale_state_of_a_parent_changes(member: Opportunity) -> None:
    before = situation(COURT, YOGA)
    off = after(before, take_off(member))
    below = {one.path for one in COURT[COURT.index(member) :]}
    assert off.touched == below
    assert after(replace(off, touched=frozenset()), put_on(member)).touched == below


def test_a_parent_off_sale_is_not_published_anew_when_a_child_changes() -> None:
    off = replace(after(situation(COURT), take_off(COURT[0])), touched=frozenset())
    assert after(off, take_off(COURT[1])).touched == {COURT[1].path}


def test_the_same_sale_state_changes_nothing_and_an_unknown_opportunity_has_none() -> None:
    assert put_on(YOGA[0]).decide(situation(YOGA)).changes == ()
    with pytest.raises(NotFoundError):
        put_on(YOGA[0]).decide(situation())
    assert put_on(YOGA[0]).stamp(situation()) == BY_MANAGER


def imported(source: str, key: str, **changes: Any) -> list[Opportunity]:
    """A session and its series from this source."""
    return [replace(member, source=source, **changes) for member in session(key)]


FED_YOGA, FED_PILATES, FED_OTHER = (
    imported("feed-1", "yoga"),
    imported("feed-2", "pilates"),
    imported("feed-3", "other"),
)
TAKE_OFF = TakeOffSale(sources=frozenset({"feed-1", "feed-2"}), keep=frozenset({FED_PILATES[0].path}), actor=MANAGER)


def test_the_opportunities_of_the_sources_go_off_sale_but_for_those_to_keep() -> None:
    where = after(situation(FED_YOGA, FED_PILATES, FED_OTHER), TAKE_OFF)
    off = {path for path, member in where.opportunities.items() if member.sale is SaleState.NOT_UNDERSTOOD}
    assert off == {FED_YOGA[0].path, FED_YOGA[1].path, FED_PILATES[1].path}


def test_the_report_names_the_orders_that_stay() -> None:
    booked = after(situation(FED_YOGA, FED_PILATES), book(request(item(FED_YOGA))))
    reports = TAKE_OFF.decide(booked).reply
    assert reports.keys() == {FED_YOGA[0].path, FED_YOGA[1].path, FED_PILATES[1].path}
    kept = AffectedOrders(kept=frozenset({KEY}))
    assert reports[FED_YOGA[1].path] == OpportunityReport(opportunity=FED_YOGA[1], orders=kept)
    assert reports[FED_PILATES[1].path] == OpportunityReport(opportunity=FED_PILATES[1])


def test_an_unpublished_opportunity_stays_unpublished_and_is_not_reported() -> None:
    family = imported("feed-1", "yoga", sale=SaleState.UNPUBLISHED)
    decision = TAKE_OFF.decide(situation(family))
    assert decision.reply == {}
    marked = [replace(family[1], not_understood=True), replace(family[0], not_understood=True)]
    assert decision.changes == tuple(map(OpportunitySet, marked))


def test_a_withdrawn_opportunity_and_one_that_is_off_sale_already_do_not_change() -> None:
    families = imported("feed-1", "yoga", withdrawn=True), imported("feed-1", "pilates", sale=SaleState.NOT_UNDERSTOOD)
    decision = TAKE_OFF.decide(situation(*families))
    assert (decision.reply, decision.changes) == ({}, ())
