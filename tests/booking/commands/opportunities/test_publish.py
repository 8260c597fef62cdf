"""Publishing Sellers and Opportunities, and the effects on Orders."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.errors import IdReusedError, SellerChangedError
from openbooking.booking.model.opportunity import Inherited, Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.report import AffectedOrders, OpportunityReport
from openbooking.booking.model.situation import OpportunitySet, evolve
from openbooking.openactive.errors import BelongsToAnotherError, NotFoundError
from openbooking.openactive.terms import EventStatus, OrderItemStatus
from support.builders import NOW, after, book, item, request, session, situation, slot
from support.parties import BOB, CENTRE, MANAGER
from support.proposals import KEY, having

SERIES, YOGA = session("yoga")
OTHER = session("other")
CANCELLED = EventStatus.CANCELLED
BOOKED = after(situation([SERIES, YOGA], OTHER), book(request(item([SERIES, YOGA]))))
STORED_AGAIN = Publish(tuple(OTHER), actor=MANAGER)


@pytest.mark.spec("OB-BKBL-33")
@pytest.mark.parametrize(
    ("individual", "capacity", "expected"),
    [(True, 5, 1), (True, 1, 1), (True, 0, 0), (False, 5, 5)],
)
def test_a_slot_of_an_individual_facility_is_published_with_one_space(
    individual: bool, capacity: int, expected: int
) -> None:
    family = slot("court", individual=individual, capacity=capacity)
    together = after(situation(), Publish(tuple(family), actor=MANAGER))
    alone = after(situation(family[:-1]), Publish((family[-1],), actor=MANAGER))
    for where in (together, alone):
        assert where.opportunities[family[-1].path].capacity == expected


def publish(*opportunities: Opportunity, **options: Any) -> Publish:
    return Publish(opportunities, actor=MANAGER, **options)


def test_the_reply_reports_on_each_published_opportunity_as_it_is_stored() -> None:
    court = slot("court", capacity=5)
    cancelled = replace(YOGA, status=CANCELLED)
    reports = publish(cancelled, *court).decide(having(BOOKED, publish(*court))).reply
    assert reports == {
        YOGA.path: OpportunityReport(
            opportunity=cancelled,
            why_not="The Opportunity is cancelled or postponed.",
            orders=AffectedOrders(cancelled=frozenset({KEY})),
        ),
        court[0].path: OpportunityReport(opportunity=court[0], why_not="It has no Offer that can be booked."),
        court[1].path: OpportunityReport(opportunity=court[1], why_not="It has no Offer that can be booked."),
        court[2].path: OpportunityReport(opportunity=replace(court[2], capacity=1, court=court[1].path)),
    }


def test_an_opportunity_is_not_published_twice_at_once() -> None:
    with pytest.raises(NotFoundError, match=f"Published twice in one command: {YOGA.path}"):
        publish(SERIES, YOGA, YOGA).decide(situation())


OTHER_THING = replace(YOGA, start=NOW + timedelta(days=5), properties={"name": "Chess"})


@pytest.mark.parametrize("known", [frozenset({YOGA.path}), frozenset({YOGA.path, "slots/unknown"})])
def test_an_id_of_a_feed_is_not_used_for_another_opportunity_while_orders_have_it(
    known: frozenset[str],
) -> None:
    with pytest.raises(IdReusedError):
        publish(OTHER_THING, known_by_feed=known).decide(BOOKED)


@pytest.mark.parametrize("known", [frozenset[str](), frozenset({SERIES.path})])
def test_another_opportunity_may_change_its_name_and_start_while_there_are_orders(known: frozenset[str]) -> None:
    assert after(BOOKED, publish(OTHER_THING, known_by_feed=known)).opportunities[YOGA.path] == OTHER_THING


@pytest.mark.parametrize(("keeps", "status"), [(True, CANCELLED), (False, EventStatus.SCHEDULED)])
def test_a_cancellation_here_stays_if_the_publisher_may_not_know_of_it(keeps: bool, status: EventStatus) -> None:
    where = situation([SERIES, replace(YOGA, status=CANCELLED, cancelled_here=True)])
    assert after(where, publish(YOGA, keep_cancelled_here=keeps)).opportunities[YOGA.path].status is status


IN_STATE_OF_SERIES = replace(YOGA, inherited=Inherited(status=True, dates=True))
LATER = {"start": NOW + timedelta(days=3), "end": NOW + timedelta(days=3, hours=2)}
POSTPONED = replace(SERIES, status=EventStatus.POSTPONED, **LATER)
INHERITED = replace(IN_STATE_OF_SERIES, status=EventStatus.POSTPONED, **LATER)


@pytest.mark.parametrize("published", [(POSTPONED, IN_STATE_OF_SERIES), (IN_STATE_OF_SERIES,), (POSTPONED,)])
def test_a_child_inherits_from_a_parent_that_is_published_with_it_or_without_it(
    published: tuple[Opportunity, ...],
) -> None:
    known = POSTPONED if published == (IN_STATE_OF_SERIES,) else SERIES
    where = after(situation([known, IN_STATE_OF_SERIES]), publish(*published))
    assert where.opportunities[YOGA.path] == INHERITED


def test_a_rescheduled_child_keeps_its_time_until_its_parent_is_published() -> None:
    where = situation([POSTPONED, INHERITED], OTHER)
    moved = after(where, ChangeLogistics(opportunity=YOGA.path, end=NOW + timedelta(days=4), actor=MANAGER))
    assert after(moved, STORED_AGAIN).opportunities[YOGA.path].end == NOW + timedelta(days=4)
    assert after(moved, publish(POSTPONED)).opportunities[YOGA.path].end == LATER["end"]


def test_a_publication_cancels_no_orders_of_an_opportunity_that_was_cancelled_before() -> None:
    off = evolve(BOOKED, OpportunitySet(replace(YOGA, status=CANCELLED)))
    assert after(off, STORED_AGAIN).records == BOOKED.records
    again = after(off, publish(replace(YOGA, status=CANCELLED))).records[KEY]
    assert again.states[0].status is OrderItemStatus.SELLER_CANCELLED


def test_a_stored_seller_above_the_size_limit_is_published_again() -> None:
    small = replace(situation(), policy=Policy(max_published_bytes=1))
    assert PublishSeller(CENTRE, actor=MANAGER).decide(small).changes


def test_a_seller_of_another_source_is_refused_by_its_name() -> None:
    named = after(situation(), PublishSeller(replace(CENTRE, key="named", source="feed-1"), actor=MANAGER))
    with pytest.raises(BelongsToAnotherError, match="Seller Riverside Centre belongs to another source: feed-1"):
        PublishSeller(replace(CENTRE, key="named", source="feed-2"), actor=MANAGER).decide(named)


@pytest.mark.spec("OB-BKBL-11", "OB-OF-08")
def test_a_cancelled_opportunity_is_cancelled_in_every_order() -> None:
    asked = request(item([SERIES, YOGA]))
    both = having(situation([SERIES, YOGA]), book(asked), book(asked, caller=BOB))
    off = after(both, publish(replace(YOGA, status=EventStatus.CANCELLED)))
    for record in off.records.values():
        assert [state.status for state in record.states] == [OrderItemStatus.SELLER_CANCELLED]
        assert record.updated


def test_a_seller_is_replaced_only_if_it_is_as_the_actor_saw_it() -> None:
    seen, stored = CENTRE, after(situation(), PublishSeller(replace(CENTRE, name="Other"), actor=MANAGER))
    with pytest.raises(SellerChangedError):
        PublishSeller(replace(seen, colour="#0b5d4e"), expected=seen, actor=MANAGER).decide(stored)
    expected = stored.sellers[CENTRE.key]
    assert PublishSeller(seen, expected=expected, actor=MANAGER).decide(stored).changes
    with pytest.raises(SellerChangedError):
        PublishSeller(replace(seen, key="new"), expected=seen, actor=MANAGER).decide(stored)
