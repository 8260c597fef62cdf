"""The properties that a child inherits from its parents."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Inherited, Opportunity
from openbooking.booking.rules.opportunities.inheritance import inherit, keep_cancellation
from openbooking.openactive.terms import EventStatus
from support.builders import NOW, offer, session

SERIES, CHILD = session()
SERIES = replace(
    SERIES,
    status=EventStatus.POSTPONED,
    start=NOW,
    end=NOW + timedelta(hours=3),
    properties={**SERIES.properties, "duration": "PT2H"},
)
CANCELLED, SCHEDULED = EventStatus.CANCELLED, EventStatus.SCHEDULED


def inheriting(**marks: bool | tuple[str, ...]) -> Opportunity:
    return replace(CHILD, inherited=Inherited(**marks))  # type: ignore[arg-type]


@pytest.mark.spec("OB-BKBL-32")
def test_a_child_inherits_the_marked_properties_only() -> None:
    assert inherit(CHILD, (SERIES,)) == CHILD
    assert inherit(inheriting(status=True), ()) == inheriting(status=True)
    status = inherit(inheriting(status=True), (SERIES,))
    assert (status.status, status.start, status.end) == (EventStatus.POSTPONED, CHILD.start, CHILD.end)
    dates = inherit(inheriting(dates=True), (SERIES,))
    assert (dates.status, dates.start, dates.end) == (SCHEDULED, SERIES.start, SERIES.end)


def test_a_child_ends_after_the_duration_of_its_parent() -> None:
    assert CHILD.start is not None
    child = inherit(inheriting(duration=True), (SERIES,))
    assert (child.start, child.end) == (CHILD.start, CHILD.start + timedelta(hours=2))
    assert inherit(replace(inheriting(duration=True), start=None), (SERIES,)).end is None
    endless = replace(SERIES, properties={})
    assert inherit(inheriting(duration=True), (endless,)).end is None


@pytest.mark.spec("OB-BKBL-32", "OB-BKBL-33")
def test_an_inherited_offer_is_taken_from_the_nearest_parent_and_belongs_to_the_child() -> None:
    far = replace(SERIES, offers=(offer("far", "adult", Decimal(9)), offer("far", "child", Decimal(4))))
    near = replace(SERIES, offers=(offer("near", "adult", Decimal(8)),))
    own = offer(CHILD.path, "own")
    child = replace(inheriting(offers=("adult", "child", "gone")), offers=(own, offer(CHILD.path, "adult", Decimal(1))))
    found = inherit(child, (near, far))
    assert [(one.key, one.owner, one.price) for one in found.offers] == [
        ("own", CHILD.path, own.price),
        ("adult", CHILD.path, Decimal(8)),
        ("child", CHILD.path, Decimal(4)),
    ]
    assert not found.offers_unknown
    assert inherit(inheriting(offers=("gone",)), (near, far)).offers_unknown


def test_a_child_that_its_seller_has_cancelled_here_keeps_its_status() -> None:
    child = replace(inheriting(status=True), status=CANCELLED, cancelled_here=True)
    assert inherit(child, (SERIES,)).status is CANCELLED


@pytest.mark.spec("OB-BKBL-11")
@pytest.mark.parametrize(
    ("known", "published", "keeps", "status"),
    [
        (None, inheriting(status=True), True, SCHEDULED),
        (CHILD, inheriting(status=True), True, SCHEDULED),
        (replace(CHILD, status=CANCELLED), inheriting(status=True), True, CANCELLED),
        (replace(CHILD, status=CANCELLED), inheriting(status=True), False, CANCELLED),
        (replace(CHILD, status=CANCELLED), CHILD, True, SCHEDULED),
        (replace(inheriting(status=True), status=CANCELLED), inheriting(status=True), True, SCHEDULED),
        (replace(CHILD, status=CANCELLED, cancelled_here=True), CHILD, True, CANCELLED),
        (replace(CHILD, status=CANCELLED, cancelled_here=True), CHILD, False, SCHEDULED),
    ],
    ids=[
        "new",
        "takes place",
        "no status published",
        "no status published by the Seller",
        "another status published",
        "status inherited before",
        "cancelled here and published by a feed",
        "cancelled here and published by the Seller",
    ],
)
def test_a_cancellation_stays_unless_a_status_is_published(
    known: Opportunity | None, published: Opportunity, keeps: bool, status: EventStatus
) -> None:
    kept = keep_cancellation(known, published, keep_cancelled_here=keeps)
    assert kept.status is status
    assert kept.cancelled_here is (status is CANCELLED and known is not None and known.cancelled_here)
    if status is CANCELLED:
        assert kept.inherited is None


@pytest.mark.spec("OB-BKBL-11")
def test_a_kept_cancellation_leaves_the_other_inherited_properties_inherited() -> None:
    cancelled = replace(CHILD, status=CANCELLED)
    kept = keep_cancellation(cancelled, inheriting(status=True, dates=True), keep_cancelled_here=True)
    assert (kept.status, kept.inherited) == (CANCELLED, Inherited(dates=True))


@pytest.mark.spec("OB-BKBL-11")
def test_a_cancellation_here_is_kept_when_the_provider_publishes_dates_alone() -> None:
    known = replace(CHILD, status=CANCELLED, cancelled_here=True)
    kept = keep_cancellation(known, inheriting(dates=True), keep_cancelled_here=True)
    assert (kept.status, kept.cancelled_here, kept.inherited) == (CANCELLED, True, Inherited(dates=True))
