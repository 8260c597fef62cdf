"""The forms of the entries of a timetable, and the effect that is shown before a change is saved."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.timetable import (
    Closure,
    Course,
    EntryKey,
    Event,
    Facility,
    Nation,
    OnDemandItem,
    TimetableRule,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import path_of
from support.browsers.form_browser import Page, Visitor
from support.console import SignIn
from support.console_timetable import Club
from support.parties import CENTRE, MANAGER
from support.timetables import ADULT, MONDAY, SPIN, SQUASH, VENUE, WEDNESDAY, YOGA

pytestmark = pytest.mark.anyio

ADD = "/console/timetable/add"
CLASS = {
    "name": "Spin",
    "url": "https://centre.example.org/spin",
    "concepts.search": "yoga",
    "concepts.found": YOGA.id,
    "capacity": "18",
    "times.0.days.0": "yes",
    "times.0.days.2": "yes",
    "times.0.start": "18:15",
    "times.0.minutes": "45",
    "prices.0.name": "Adult",
    "prices.0.amount": "7.50",
    "prices.0.cancel_before": "4",
}
ADDRESS = {
    "name": "Riverside Centre",
    "street": "1 River Road",
    "town": "Oxford",
    "region": "Oxfordshire",
    "postcode": "OX1 1AA",
    "latitude": "51.75",
    "longitude": "-1.25",
}


async def send(visitor: Visitor, path: str, button: str = "check", **fields: str) -> Page:
    return await visitor.send(await visitor.open(path), path, button, **fields)


async def test_a_venue_is_saved(club: Club, sign_in: SignIn) -> None:
    page = await send(await sign_in("ann"), f"{ADD}/venue", **ADDRESS)
    assert "Saved." in page.text
    assert (await club.entry("riverside-centre")).rule == VENUE


async def test_a_second_entry_of_a_name_gets_another_key(club: Club, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    for _ in range(2):
        await send(ann, f"{ADD}/venue", **ADDRESS)
    assert (await club.entry("riverside-centre-2")).rule == VENUE


async def test_a_class_is_saved_and_published(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    page = await send(await sign_in("ann"), f"{ADD}/class", **CLASS)
    assert "Saved." in page.text
    rule = (await club.entry("spin")).rule
    assert rule == WeeklyClass(
        name="Spin",
        url="https://centre.example.org/spin",
        venue="riverside",
        concepts=(YOGA,),
        times=(WeeklyTime((MONDAY, WEDNESDAY), time(18, 15), 45),),
        first=club.today,
        capacity=18,
        prices=(replace(ADULT, vat=club.vat),),
    )
    assert len(await club.publish("spin")) == 17


async def test_a_class_without_a_web_page_is_published_with_that_of_the_seller(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    page = await send(await sign_in("ann"), f"{ADD}/class", **{**CLASS, "url": ""})
    assert "Saved." in page.text
    assert await published_url(club) == CENTRE.properties["url"]
    moved = replace(CENTRE, properties={**CENTRE.properties, "url": "https://new.example.com/"})
    await club.world.store.execute(PublishSeller(moved, actor=MANAGER))
    assert await published_url(club) == "https://new.example.com/"


async def published_url(club: Club) -> str:
    """Return the web page of the class `spin` when all that is due has been published."""
    await club.publish("spin")
    found = await club.world.store.execute(FindBySource(frozenset({"timetable:centre/spin"}), actor=MANAGER))
    (series,) = (each for each in found.values() if each.type is OpportunityType.SESSION_SERIES)
    return str(series.properties["url"])


async def test_labels_say_which_fields_are_optional(club: Club, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    form = (await ann.open(f"{ADD}/class")).text
    for label in ("Description", "Web page", "Picture (web address)", "Last date", "Leader", "Least age"):
        assert f"{label} (optional)" in form
    for label in ("Name", "Spaces", "First date", "Start", "Pounds"):
        assert label in form
        assert f"{label} (optional)" not in form
    await club.world.store.execute(PublishSeller(replace(CENTRE, properties={}), actor=MANAGER))
    assert "Web page (optional)" not in (await ann.open(f"{ADD}/class")).text


async def test_all_faults_of_an_empty_form_are_reported_at_once(club: Club, sign_in: SignIn) -> None:
    page = await send(await sign_in("ann"), f"{ADD}/class")
    assert page.summary == ["name", "venue", "concepts", "capacity", "times", "prices"]
    assert "Name: Give a name. Venue: Choose a venue. Activities: Choose at least one activity." in page.text
    assert {name: page.paragraphs[f"{name}-wrong"] for name in page.summary} == {
        "name": "Give a name.",
        "venue": "Choose a venue.",
        "concepts": "Choose at least one activity.",
        "capacity": "Enter a whole number.",
        "times": "Give at least one time.",
        "prices": "Give at least one price. A free one has the amount 0.",
    }


async def test_what_cannot_be_read_causes_no_other_fault(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    ann = await sign_in("ann")
    wrong = {
        "name": "Squash",
        "lengths": "long",
        "uses": "many",
        "hours.0.opens": "early",
        "courts.0.hours.0.opens": "9",
    }
    page = await send(
        ann, f"{ADD}/facility", **{**wrong, "prices.0.minutes": "40", "first": "soon", "last": "2027-05-01"}
    )
    assert page.summary == [
        "concepts", "lengths", "uses", "first",
        "hours.0.days", "hours.0.opens", "hours.0.closes",
        "courts.0.name", "courts.0.hours.0.days", "courts.0.hours.0.opens", "courts.0.hours.0.closes",
        "prices.0.prices",
    ]  # fmt: skip
    page = await send(ann, f"{ADD}/venue", **{**ADDRESS, "latitude": "north"})
    assert page.summary == ["latitude"]


async def test_a_picture_is_published(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    ann = await sign_in("ann")
    page = await send(ann, f"{ADD}/class", **CLASS, image="spin.jpg")
    assert page.paragraphs["image-wrong"] == "Give the address of a picture, which begins with https://."
    await send(ann, f"{ADD}/class", **CLASS, image="https://centre.example.org/spin.jpg")
    await club.publish("spin")
    page = await ann.open(f"/console/publication/{path_of(OpportunityType.SESSION_SERIES, EntryKey('centre', 'spin'))}")
    assert "Image" not in page.text.partition("JSON-LD")[0]
    assert "https://centre.example.org/spin.jpg" in page.text


async def test_the_form_asks_for_a_name_of_a_court_that_lists_can_show_alone(club: Club, sign_in: SignIn) -> None:
    """A Slot has the name of its court, and Sellers have courts of several facilities."""
    page = await (await sign_in("ann")).open(f"{ADD}/facility")
    assert page.paragraphs["courts.0.name-hint"] == "Such as Squash court 1. Lists show it alone."


async def test_each_fault_is_at_its_field_and_what_was_typed_stays(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    wrong = {**CLASS, "times.0.start": "quarter past six", "capacity": "many", "prices.0.amount": "-1"}
    page = await send(await sign_in("ann"), f"{ADD}/class", **wrong)
    assert page.status == 422
    assert page.paragraphs["times.0.start-wrong"] == "Enter a time, such as 18:15."
    assert page.paragraphs["capacity-wrong"] == "Enter a whole number."
    assert page.paragraphs["prices.0.amount-wrong"] == "Enter an amount in pounds, such as 7.50, or 0."
    assert page.summary == ["capacity", "times.0.start", "prices.0.amount"]
    assert "Time 1: Start: Enter a time, such as 18:15." in page.text
    assert page.fields["times.0.start"]["value"] == "quarter past six"
    assert "checked" in page.fields["times.0.days.2"]
    assert "checked" in page.fields["concepts.0"]


async def test_a_fault_of_the_rule_is_at_its_field(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    page = await send(await sign_in("ann"), f"{ADD}/class", **{**CLASS, "url": "spin", "last": "2020-01-01"})
    assert "https://" in page.paragraphs["url-wrong"]
    assert page.paragraphs["last-wrong"] == "The last date is before the first date."


async def test_activities_are_found_by_a_word(club: Club, sign_in: SignIn) -> None:
    page = await send(await sign_in("ann"), f"{ADD}/class", "find", **{"name": "Spin", "concepts.search": "yoga"})
    assert page.status == 200
    assert "Hatha Yoga" in page.text
    assert page.fields["name"]["value"] == "Spin"
    page = await send(await sign_in("ann"), f"{ADD}/class", "find", **{"concepts.search": "xyzzy"})
    assert page.paragraphs["concepts-wrong"] == "Nothing in the list has this name. Try another word."


async def test_rows_are_added_and_keep_what_was_typed(club: Club, sign_in: SignIn) -> None:
    page = await send(await sign_in("ann"), f"{ADD}/class", "rows:times", **CLASS)
    assert page.status == 200
    assert page.fields["times.0.start"]["value"] == "18:15"
    assert "times.4.start" in page.fields
    assert "times.5.start" not in page.fields


async def test_empty_rows_between_others_are_left_out(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    moved = {name.replace("prices.0", "prices.1"): text for name, text in CLASS.items()}
    await send(await sign_in("ann"), f"{ADD}/class", **moved)
    rule = (await club.entry("spin")).rule
    assert isinstance(rule, WeeklyClass)
    assert rule.prices == (replace(ADULT, vat=club.vat),)


async def test_a_facility_with_courts_is_saved(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    week = {f"hours.0.days.{day}": "yes" for day in range(7)}
    fields = {
        "name": "Squash courts",
        "url": "https://centre.example.org/squash",
        "concepts.search": "squash",
        "concepts.found": SQUASH.concepts[0].id,
        "lengths": "60",
        **week,
        "hours.0.opens": "09:00",
        "hours.0.closes": "12:00",
        "courts.0.name": "Court 1",
        "courts.1.name": "Court 2",
        "courts.1.hours.0.days.5": "yes",
        "courts.1.hours.0.opens": "10:00",
        "courts.1.hours.0.closes": "11:00",
        "prices.0.prices.0.name": "Adult",
        "prices.0.prices.0.amount": "7.5",
    }
    page = await send(await sign_in("ann"), f"{ADD}/facility", **fields)
    assert "Saved." in page.text
    rule = (await club.entry("squash-courts")).rule
    assert isinstance(rule, Facility)
    assert [(court.key, court.name, len(court.hours)) for court in rule.courts] == [
        ("court-1", "Court 1", 0),
        ("court-2", "Court 2", 1),
    ]
    assert rule.prices[0].prices[0].amount == Decimal("7.5")


DESCRIBED = {name: CLASS[name] for name in ("name", "url", "concepts.found", "prices.0.name", "prices.0.amount")}


async def test_an_event_a_course_and_an_on_demand_item_are_saved(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    ann = await sign_in("ann")
    forms = {
        "event": {"start": "2027-03-06T14:00", "minutes": "120", "capacity": "50"},
        "course": {
            "times.0.days.5": "yes",
            "times.0.start": "10:00",
            "times.0.minutes": "60",
            "dates": "6",
            "capacity": "8",
            "without": "2027-03-13\r\n2027-03-20",
        },
        "on-demand": {},
    }
    for kind, fields in forms.items():
        page = await send(ann, f"{ADD}/{kind}", **{**DESCRIBED, "name": kind}, **fields)
        assert "Saved." in page.text
    event, course, film = [(await club.entry(key)).rule for key in forms]
    assert isinstance(event, Event)
    assert (event.start.isoformat(), event.venue) == ("2027-03-06T14:00:00", "riverside")
    assert isinstance(course, Course)
    assert (course.dates, len(course.without), course.times[0].days) == (6, 2, (5,))
    assert isinstance(film, OnDemandItem)
    assert film.prices[0].amount == Decimal("7.50")


async def test_a_change_of_a_venue_shows_what_changes_with_it(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    await club.publish("spin")
    page = await send(await sign_in("ann"), "/console/timetable/entries/riverside", name="Riverside Hall")
    assert "0 are added, 1 changed and 0 removed" in page.text
    assert "name, place or other details" in page.text


async def test_a_court_is_closed_for_a_facility_only(club: Club, sign_in: SignIn) -> None:
    page = await send(
        await sign_in("cat"), "/console/timetable/close", start="2027-03-06T14:00", end="2027-03-06T15:00"
    )
    assert page.paragraphs["entry-wrong"] == "Choose from the list."


async def test_a_form_opened_and_sent_changes_nothing(club: Club, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    club_rules: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
    for key, rule in club_rules.items():
        await club.save(key, rule)
        page = await send(ann, f"/console/timetable/entries/{key}")
        assert "Nothing was changed." in page.text
        assert (await club.entry(key)).revision == 1


async def test_the_effect_is_shown_before_a_change_is_saved(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    members = await club.publish("spin")
    await club.book(members[1], "Green")
    ann = await sign_in("ann")
    path = "/console/timetable/entries/spin"
    page = await send(ann, path, **{"times.0.start": "18:30", "description": "With\r\nmusic."})
    assert "This cancels 1 booked session of 1 customer." in page.text
    assert "17 are added, 1 changed and 17 removed" in page.text
    assert (await club.entry("spin")).rule == SPIN
    assert await club.cancelled() == []
    page = await ann.send(page, path, "save", message="Later from now on.")
    assert "Saved." in page.text
    changed = await club.entry("spin")
    assert isinstance(changed.rule, WeeklyClass)
    assert changed.rule.times[0].start == time(18, 30)
    assert changed.rule.description == "With\nmusic."
    assert changed.message == "Later from now on."
    await club.publish("spin")
    assert await club.cancelled() == ["Later from now on."]


async def test_many_customers_must_be_typed(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", replace(SPIN, capacity=30))
    members = await club.publish("spin")
    for number in range(11):
        await club.book(members[1], f"Green {number}")
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin"
    page = await send(ann, path, **{"times.0.minutes": "60"})
    refused = await ann.send(page, path, "save")
    assert refused.paragraphs["customers-wrong"] == "Type 11, the number of customers that this concerns."
    assert (await club.entry("spin")).revision == 1
    await ann.send(refused, path, "save", customers="11")
    assert (await club.entry("spin")).revision == 2


async def test_a_confirmation_for_other_bookings_saves_nothing(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    members = await club.publish("spin")
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin"
    page = await send(ann, path, **{"times.0.minutes": "60"})
    await club.book(members[1], "Green")
    page = await ann.send(page, path, "save")
    assert "The bookings have changed since you opened this page." in page.text
    assert "This cancels 1 booked session" in page.text
    assert (await club.entry("spin")).revision == 1


async def test_a_form_of_an_earlier_revision_shows_the_present_state(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin"
    opened = await ann.open(path)
    await club.save("spin", replace(SPIN, capacity=25))
    page = await ann.send(opened, path, "check", capacity="20")
    assert page.status == 422
    assert "Somebody has changed this entry since you opened it." in page.text
    assert page.fields["capacity"]["value"] == "25"


async def test_going_back_keeps_what_was_typed(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin"
    page = await ann.send(await send(ann, path, capacity="20"), path, "edit")
    assert page.fields["capacity"]["value"] == "20"
    assert (await club.entry("spin")).revision == 1


async def test_what_the_form_does_not_show_stays(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", replace(SPIN, properties={"isCoached": True}))
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin"
    await ann.send(await send(ann, path, capacity="20"), path, "save")
    rule = (await club.entry("spin")).rule
    assert isinstance(rule, WeeklyClass)
    assert (rule.capacity, rule.properties) == (20, {"isCoached": True})


async def test_a_closure_shows_what_it_cancels(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("squash", SQUASH)
    slots = await club.publish("squash")
    tomorrow = club.today + timedelta(days=1)
    await club.book(next(slot for slot in slots if slot.start == datetime.combine(tomorrow, time(9), UTC)), "Green")
    ann, path = await sign_in("ann"), f"{ADD}/closure"
    fields = {"name": "Floor", "start": f"{tomorrow}T08:00", "end": f"{tomorrow}T11:00", "entry": "squash"}
    page = await send(ann, path, **fields)
    assert "0 are added, 0 changed and 4 removed" in page.text
    assert "This cancels 1 booked session of 1 customer." in page.text
    await ann.send(page, path, "save")
    rule = (await club.entry("floor")).rule
    assert isinstance(rule, Closure)
    assert (rule.entry, rule.venue, rule.start) == ("squash", "", datetime.combine(tomorrow, time(8)))


async def test_bank_holidays_are_a_closure(club: Club, sign_in: SignIn) -> None:
    ann, path = await sign_in("ann"), f"{ADD}/closure"
    page = await send(ann, path, name="Holidays", bank_holidays=Nation.WALES)
    await ann.send(page, path, "save")
    assert (await club.entry("holidays")).rule == Closure(name="Holidays", bank_holidays=Nation.WALES)


async def test_an_entry_is_removed_after_its_effect_was_shown(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    members = await club.publish("spin")
    await club.book(members[1], "Green")
    ann, path = await sign_in("ann"), "/console/timetable/entries/spin/remove"
    page = await ann.open(path)
    assert "This cancels 1 booked session of 1 customer." in page.text
    page = await ann.send(page, path, "save", message="The leader has left.")
    assert "Removed." in page.text
    await club.publish("spin")
    assert await club.cancelled() == ["The leader has left."]
    assert (await ann.open("/console/timetable/entries/spin")).status == 404


async def test_a_venue_in_use_is_not_removed(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    page = await (await sign_in("ann")).open("/console/timetable/entries/riverside/remove")
    assert "spin names this entry." in page.text
    assert page.forms[-1].action != "/console/timetable/entries/riverside/remove"


async def test_staff_close_a_court(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("squash", SQUASH)
    cat, path = await sign_in("cat"), "/console/timetable/close"
    at = club.today + timedelta(days=1)
    fields = {"entry": "squash", "court": "1", "start": f"{at}T09:00", "end": f"{at}T10:00"}
    page = await send(cat, path, **fields)
    await cat.send(page, path, "save")
    closure = (await club.entry("closed")).rule
    assert isinstance(closure, Closure)
    assert (closure.entry, closure.court) == ("squash", "1")


async def test_a_removed_court_is_in_the_effect_with_its_times(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("squash", SQUASH)
    slots = await club.publish("squash")
    coming = [slot for slot in slots if slot.start and slot.start > club.world.clock()]
    page = await send(await sign_in("ann"), "/console/timetable/entries/squash", **{"courts.1.name": ""})
    assert f"0 are added, 0 changed and {len(coming) // 2 + 1} removed" in page.text


async def test_the_removal_of_a_distant_event_is_in_the_effect(club: Club, sign_in: SignIn) -> None:
    start = datetime.combine(club.today + timedelta(days=200), time(14))
    fete = Event(
        name="Fete", url="https://example.com", venue="riverside", start=start, minutes=60, capacity=9, prices=(ADULT,)
    )
    await club.save("riverside", VENUE)
    await club.save("fete", fete)
    (event,) = await club.publish("fete")
    await club.book(event, "Green")
    page = await (await sign_in("ann")).open("/console/timetable/entries/fete/remove")
    assert "This cancels 1 booked session of 1 customer." in page.text
