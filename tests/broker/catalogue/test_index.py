"""The index: it equals one made afresh, whatever comes in whatever order."""

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbooking.broker.catalogue import index as catalogue_index
from openbooking.broker.store.database import SqliteDatabase, open_database
from support.catalogue.shelf import Shelf
from support.importing.published_items import (
    FACILITY_ID,
    OFFER,
    SELLER,
    event,
    facility,
    rpde,
    series,
    session,
    slot,
)

OPEN = {**SELLER, "isOpenBookingAllowed": True}
COURT_ID = "https://provider.example.com/courts/1"
GALA_ID = "https://provider.example.com/gala"


def court(**changes: Any) -> dict[str, Any]:
    made = {"@type": "IndividualFacilityUse", "@id": COURT_ID, "name": "Court 1", "aggregateFacilityUse": FACILITY_ID}
    return facility(**{**made, **changes})


def gala(**changes: Any) -> dict[str, Any]:
    return event(**{"@type": "HeadlineEvent", "@id": GALA_ID, "name": "Gala", **changes})


def race(**changes: Any) -> dict[str, Any]:
    return event(**{"@id": "https://provider.example.com/race", "superEvent": GALA_ID, "location": None, **changes})


# Each thing in versions that differ in what the index depends on.
VERSIONS: dict[str, list[Any]] = {
    "series": [
        series(),
        series(name="Pilates", offers=[{**OFFER, "price": 0}]),
        series(subEvent=[session(1, superEvent=None), session(3, superEvent=None)]),
        series(organizer={**SELLER, "taxMode": None}),
        series(superEvent={"@type": "EventSeries", "@id": "https://provider.example.com/all", "name": "All"}),
    ],
    "session 1": [session(1), session(1, remainingAttendeeCapacity=0), session(1, superEvent=series(name="Own"))],
    "session 2": [session(2, name="Two"), session(2, superEvent=None), session(2, startDate="tomorrow")],
    "facility": [
        facility(),
        facility(event=[slot(1, facilityUse=None), slot(5, facilityUse=None)]),
        facility(individualFacilityUse=[court(event=[slot(2, facilityUse=None)])]),
        facility(individualFacilityUse=[{"@id": COURT_ID}]),
    ],
    "court": [court(), court(provider=None, location=None)],
    "slot 1": [slot(1), slot(1, facilityUse=COURT_ID), slot(1, offers=None)],
    "slot 2": [slot(2, facilityUse=COURT_ID), slot(2, facilityUse=court())],
    "gala": [gala(), gala(subEvent=[race(superEvent=None)]), gala(eventStatus="https://schema.org/EventCancelled")],
    "race": [race(), race(superEvent=gala(name="Embedded")), race(startDate=None, duration=None)],
    # A circle of parents.
    "circle": [
        gala(**{"@id": "https://provider.example.com/circle", "superEvent": "https://provider.example.com/circle"})
    ],
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(VERSIONS)), st.one_of(st.none(), st.integers(0, 4)), st.sampled_from(["A", "B"])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40)
@given(steps=STEPS, batch=st.sampled_from([1, 3, 1_000]))
@pytest.mark.spec("OB-BKBL-31", "OB-BKBL-32")
def test_the_index_equals_one_made_afresh(steps: list[tuple[str, int | None, str]], batch: int) -> None:
    with pytest.MonkeyPatch.context() as patch, closing(open_database(":memory:")) as database:
        patch.setattr(catalogue_index, "BATCH", batch)
        shelf = Shelf(database)
        for name, version, feed in steps:
            versions = VERSIONS[name]
            if version is None:
                shelf.delete(versions[0], feed=feed)
            else:
                shelf.put(versions[version % len(versions)], feed=feed)
        grown = shelf.rows()
        shelf.rebuild()
        assert shelf.rows() == grown


def test_a_child_that_comes_before_its_parent_is_found_with_it(shelf: Shelf) -> None:
    shelf.put(session(1))
    assert [hit.name for hit in shelf.find()] == [""]
    assert shelf.find(bookable=True) == []
    shelf.put(series(organizer=OPEN))
    assert [(hit.name, hit.id) for hit in shelf.find(bookable=True)] == [
        ("Yoga", "https://provider.example.com/sessions/1")
    ]


def test_a_changed_parent_changes_its_children(shelf: Shelf) -> None:
    shelf.put(series(), session(1), session(2))
    shelf.put(series(name="Pilates"))
    assert [hit.name for hit in shelf.find(text="pilates")] == ["Pilates"] * 2
    assert shelf.find(text="yoga") == []
    shelf.delete(series())
    assert [hit.name for hit in shelf.find()] == [""] * 2


def test_a_deleted_child_is_not_found(shelf: Shelf) -> None:
    shelf.put(series(), session(1), session(2))
    shelf.delete(session(1))
    assert shelf.ids() == ["2"]


def test_an_embedded_child_gives_way_to_an_item_of_its_own(shelf: Shelf) -> None:
    shelf.put(series(subEvent=[session(1, superEvent=None, remainingAttendeeCapacity=1)]))
    assert [hit.spaces for hit in shelf.find()] == [1]
    shelf.put(session(1), feed="Sessions")
    assert [hit.spaces for hit in shelf.find()] == [5]
    shelf.delete(session(1), feed="Sessions")
    assert [hit.spaces for hit in shelf.find()] == [1]


def test_a_slot_of_a_court_has_the_name_of_its_court_and_the_seller_of_its_facility(shelf: Shelf) -> None:
    shelf.put(slot(1, facilityUse=COURT_ID), feed="Slots")
    shelf.put(facility(provider=OPEN, individualFacilityUse=[court(provider=None, location=None)]), feed="Facilities")
    (hit,) = shelf.find(bookable=True)
    assert (hit.name, hit.seller) == ("Court 1", OPEN)
    assert hit.opportunity["location"]["name"] == "Riverside Centre"


def test_an_event_inherits_from_the_event_series_that_it_embeds(shelf: Shelf) -> None:
    above = {"@type": "EventSeries", "@id": "https://provider.example.com/all", "name": "All", "offers": [OFFER]}
    shelf.put(event(name=None, offers=None, superEvent=above))
    (hit,) = shelf.find()
    assert (hit.name, hit.opportunity.get("offers")) == ("All", None)


def test_items_that_cannot_be_read_are_left_out(shelf: Shelf) -> None:
    shelf.keep("Mixed", [5, {"@type": "Event"}, {"state": "updated", "id": "a", "kind": "Event", "data": [1]}])
    shelf.put(event(name="a\0b"), event(startDate="soon", **{"@id": "https://provider.example.com/events/2"}))
    assert shelf.find() == []


def test_unused_subjects_and_processed_deletions_are_removed(shelf: Shelf) -> None:
    shelf.put(series(), session(1))
    shelf.delete(session(1))
    shelf.keep("Mixed", [], at_end=True)
    catalogue_index.Index(shelf.database).tidy()
    with shelf.database.transaction() as transaction:
        counts = [
            transaction.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("catalogue_subject", "catalogue_activity", "harvest_item")
        ]
    assert counts == [(0,), (0,), (1,)]


def test_the_tables_are_counted_after_changes(shelf: Shelf) -> None:
    shelf.keep("Mixed", [rpde(series()), rpde(session(1)), rpde(session(2))])
    index = catalogue_index.Index(shelf.database)
    assert not index.update()
    index.tidy()
    is_sqlite = isinstance(shelf.database, SqliteDatabase)
    query = (
        "SELECT max(CAST(substr(stat, 1, 1) AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'catalogue_thing'"
        if is_sqlite
        else "SELECT CAST(reltuples AS INTEGER) FROM pg_class WHERE relname = 'catalogue_thing'"
    )
    with shelf.database.transaction() as transaction:
        assert transaction.execute(query).fetchone() == (3,)
