"""An Opportunity stays with the source and the Seller of its first publication."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.errors import IdReusedError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.opportunities.ownership import (
    check_same_as_booked,
    publisher_of,
    shares_name_or_start,
    source_name,
)
from openbooking.openactive.errors import BelongsToAnotherError
from openbooking.openactive.terms import EventStatus
from support.builders import NOW, PRICE, UUID, after, book, item, quote, request, session, situation
from support.parties import ALICE, BOB, CENTRE, MANAGER, STUDIO

GOOD, EVIL = "https://good.example/feeds/sessions#1", "https://evil.example/feed#1"
SERIES, YOGA = (replace(thing, source=GOOD) for thing in session("yoga"))
STOCKED = after(situation(), Publish((SERIES, YOGA), actor=MANAGER))
NAMED = replace(CENTRE, key="named", source=GOOD)


def refused(where: Situation, command: Publish | PublishSeller) -> str:
    with pytest.raises(BelongsToAnotherError) as refusal:
        command.decide(where)
    return str(refusal.value)


@pytest.mark.spec("OB-ID-01")
@pytest.mark.parametrize("thing", [SERIES, YOGA])
def test_an_opportunity_stays_with_its_source_and_its_seller(thing: Opportunity) -> None:
    for seller in (CENTRE, STUDIO):
        taken = Publish((replace(thing, seller=seller.key, source=EVIL, status=EventStatus.CANCELLED),), actor=MANAGER)
        assert refused(STOCKED, taken) == "It belongs to another source: https://good.example/feeds/sessions."
    assert (
        refused(STOCKED, Publish((replace(thing, seller=STUDIO.key),), actor=MANAGER))
        == "It belongs to another Seller: centre."
    )
    ours = after(situation(), Publish((replace(SERIES, source=""),), actor=MANAGER))
    assert refused(ours, Publish((SERIES,), actor=MANAGER)) == "It belongs to another source: none that was imported."


def test_one_opportunity_of_another_owner_refuses_the_whole_publication() -> None:
    new = [replace(thing, source=EVIL) for thing in session("spin")]
    refused(STOCKED, Publish((*new, replace(YOGA, source=EVIL)), actor=MANAGER))
    assert new[0].path in after(STOCKED, Publish(tuple(new), actor=MANAGER)).opportunities


@pytest.mark.parametrize("source", [GOOD, "http://good.example/feeds/series#2", "HTTPS://GOOD.example/other"])
def test_the_feeds_of_one_site_have_one_publisher(source: str) -> None:
    assert (
        after(STOCKED, Publish((replace(YOGA, source=source),), actor=MANAGER)).opportunities[YOGA.path].source
        == source
    )


def test_publishers_differ_by_site_or_name() -> None:
    sources = (
        "", "kit", "/a/feed.json#1", "/a#b/feed.json#1", "/a/other.json#1", "test-dataset/uat", "http://[#1",
        "https://a.example/x#1", "https://b.example/x#1", "https://a.example:8443/x#1",
    )  # fmt: skip
    assert len({publisher_of(source) for source in sources}) == len(sources)


def test_a_child_has_the_seller_of_its_parent() -> None:
    child = replace(session("spin", source=EVIL)[-1], parent=SERIES.path, seller=STUDIO.key)
    assert refused(STOCKED, Publish((child,), actor=MANAGER)) == "Its parent belongs to another Seller: centre."
    together = Publish(
        (replace(SERIES, path="session-series/x"), replace(child, parent="session-series/x")), actor=MANAGER
    )
    assert refused(STOCKED, together) == "Its parent belongs to another Seller: centre."


def test_an_unconfirmed_publication_needs_a_seller_and_parents_of_its_own_publisher() -> None:
    child = replace(session("spin", source=EVIL)[-1], parent=SERIES.path)
    assert refused(STOCKED, Publish((child,), own_only=True, actor=MANAGER)).startswith(
        "Its parent belongs to another source: "
    )
    assert child.path in after(STOCKED, Publish((child,), actor=MANAGER)).opportunities
    named = after(STOCKED, PublishSeller(NAMED, actor=MANAGER))
    fresh = replace(session("swim")[0], source=EVIL, seller=NAMED.key)
    assert refused(named, Publish((fresh,), own_only=True, actor=MANAGER)).startswith(
        "Seller Riverside Centre belongs to another"
    )
    assert fresh.path in after(named, Publish((fresh,), actor=MANAGER)).opportunities
    assert (
        fresh.path in after(named, Publish((replace(fresh, source=GOOD),), own_only=True, actor=MANAGER)).opportunities
    )


def test_a_seller_stays_with_its_source_and_an_administrator_can_replace_it() -> None:
    named = after(situation(), PublishSeller(NAMED, actor=MANAGER))
    refused(named, PublishSeller(replace(NAMED, name="Evil", source=EVIL), actor=MANAGER))
    refused(named, PublishSeller(replace(CENTRE, name="Evil", source=EVIL), actor=MANAGER))
    mended = after(named, PublishSeller(replace(NAMED, name="Riverside", source=""), actor=MANAGER))
    assert mended.sellers[NAMED.key] == replace(NAMED, name="Riverside")


def test_a_withdrawn_opportunity_with_orders_can_be_published_only_by_its_owner() -> None:
    booked = after(STOCKED, book(request(item([SERIES, YOGA]))))
    gone = after(booked, Withdraw(sources=frozenset({GOOD}), actor=MANAGER))
    called_off = replace(YOGA, parent=None, status=EventStatus.CANCELLED)
    moved = replace(called_off, status=EventStatus.SCHEDULED, start=NOW)
    for thing in (called_off, moved):
        taken = Publish((replace(thing, seller=STUDIO.key, source=EVIL),), actor=MANAGER)
        assert refused(gone, taken) == "An Order for it belongs to another Seller: centre."
    handed_over = after(gone, Publish((replace(YOGA, parent=None, seller=STUDIO.key),), actor=MANAGER))
    assert handed_over.opportunities[YOGA.path].seller == STUDIO.key
    assert after(gone, Publish((called_off,), actor=MANAGER)).records != booked.records


def test_the_publisher_of_a_feed_is_its_host_in_lower_case() -> None:
    assert publisher_of("https://Good.Example/feeds/sessions#1") == "good.example"


@pytest.mark.parametrize(
    ("source", "name"),
    [("https://good.example/feed#1", "https://good.example/feed"), ("/a#b/feed.json#1", "/a#b/feed.json"), ("a", "a")],
)
def test_the_name_of_a_source_ends_at_its_last_hash(source: str, name: str) -> None:
    assert source_name(source) == name


def withdrawn_after_booking(*families: list[Opportunity]) -> Situation:
    """The situation after these families were booked in one Order and withdrawn."""
    items = [item(family, position) for position, family in enumerate(families)]
    asked = request(*items, total_payment_due=PRICE * len(items))
    return replace(after(situation(*families), book(asked)), opportunities={})


def test_another_publisher_may_publish_a_booked_opportunity_again_for_the_same_seller() -> None:
    gone = withdrawn_after_booking([SERIES, YOGA])
    again = replace(YOGA, parent=None, source=EVIL)
    assert after(gone, Publish((again,), actor=MANAGER)).opportunities[YOGA.path].source == EVIL


def test_the_publisher_of_another_item_of_an_order_does_not_own_a_withdrawn_opportunity() -> None:
    spin = [replace(thing, source=EVIL) for thing in session("spin")]
    gone = withdrawn_after_booking([SERIES, YOGA], spin)
    taken = Publish((replace(YOGA, parent=None, seller=STUDIO.key, source=EVIL),), actor=MANAGER)
    assert refused(gone, taken) == "An Order for it belongs to another Seller: centre."


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"start": NOW}, True),
        ({"properties": {"name": "Tango"}}, True),
        ({"start": NOW, "properties": {"name": "Tango"}}, False),
        ({"start": NOW, "properties": {"NAME": "Yoga"}}, False),
    ],
    ids=["unchanged", "another start", "another name", "another name and start", "no name and another start"],
)
def test_versions_with_one_name_or_one_start_may_be_the_same_opportunity(changes: dict[str, Any], same: bool) -> None:
    named = replace(YOGA, properties={"name": "Yoga"})
    assert shares_name_or_start(named, replace(named, **changes)) is same
    assert shares_name_or_start(replace(named, **changes), named) is same


TANGO = replace(YOGA, start=NOW, properties={"name": "Tango"})


def test_the_id_of_a_booked_opportunity_is_not_used_for_another_one() -> None:
    where = after(STOCKED, book(request(item([SERIES, YOGA]))))
    check_same_as_booked(where, replace(YOGA, start=NOW))
    with pytest.raises(IdReusedError):
        check_same_as_booked(where, TANGO)


def test_the_id_of_an_opportunity_may_be_used_again_once_its_bookings_are_cancelled() -> None:
    where = after(STOCKED, book(request(item([SERIES, YOGA]))))
    check_same_as_booked(after(where, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))), TANGO)


def test_an_order_for_something_else_does_not_reserve_the_id_of_an_opportunity() -> None:
    where = after(STOCKED, book(request(item([SERIES, YOGA]))))
    check_same_as_booked(where, replace(TANGO, path="scheduled-sessions/tango"))


def test_only_orders_reserve_the_id_of_an_opportunity_and_all_of_them_do() -> None:
    quoted = after(STOCKED, quote(request(item([SERIES, YOGA]))))
    check_same_as_booked(quoted, TANGO)
    booked = after(quoted, book(request(item([SERIES, YOGA])), BOB))
    with pytest.raises(IdReusedError):
        check_same_as_booked(booked, TANGO)
