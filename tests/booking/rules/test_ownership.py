"""An Opportunity stays with the source and the Seller of its first publication."""

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.publish import Publish, PublishSeller
from openbooking.booking.commands.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.ownership import publisher_of
from openbooking.openactive.errors import BelongsToAnotherError
from openbooking.openactive.terms import EventStatus
from support.builders import NOW, after, book, item, request, session, situation
from support.parties import CENTRE, MANAGER, STUDIO

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
        assert refused(gone, taken) == "What was booked of it belongs to another Seller: centre."
    handed_over = after(gone, Publish((replace(YOGA, parent=None, seller=STUDIO.key),), actor=MANAGER))
    assert handed_over.opportunities[YOGA.path].seller == STUDIO.key
    assert after(gone, Publish((called_off,), actor=MANAGER)).records != booked.records
