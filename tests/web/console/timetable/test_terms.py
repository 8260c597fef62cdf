"""The price and capacity of one session or Slot, or of all from its date on."""

from datetime import datetime, time
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import ChangeFrom, Facility, OccurrenceTerms, Terms, WeeklyClass
from support.browsers.form_browser import Page, Visitor
from support.console import SignIn
from support.console_timetable import Club
from support.timetables import ADULT, MEMBER, SPIN, SQUASH, VENUE

pytestmark = pytest.mark.anyio

CHEAP = replace(ADULT, amount=Decimal("3.00"))


def path_to(member: Opportunity) -> str:
    return f"/console/timetable/terms/{member.path}"


async def change(visitor: Visitor, member: Opportunity, button: str = "check", **fields: str) -> Page:
    """Change the terms of an occurrence, and confirm the effect."""
    page = await visitor.send(await visitor.open(path_to(member)), path_to(member), button, **fields)
    return await visitor.send(page, path_to(member), "save") if "The effect on" in page.text else page


@pytest.fixture
async def members(club: Club) -> list[Opportunity]:
    """The sessions of a class."""
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    return await club.publish("spin")


async def rule_of(club: Club) -> WeeklyClass:
    rule = (await club.entry("spin")).rule
    assert isinstance(rule, WeeklyClass)
    return rule


async def test_the_register_leads_managers_to_the_form(club: Club, sign_in: SignIn, members: list[Opportunity]) -> None:
    for name, is_shown in (("ann", True), ("cat", False)):
        page = await (await sign_in(name)).open(f"/console/register/{members[1].path}")
        assert (path_to(members[1]) in page.response.text) is is_shown
    assert (await rule_of(club)).single == ()


async def test_one_session_gets_another_capacity(club: Club, sign_in: SignIn, members: list[Opportunity]) -> None:
    page = await change(await sign_in("ann"), members[1], capacity="25")
    assert "Saved." in page.text
    start = datetime.combine(members[1].start or club.today, time(18, 15))
    assert (await rule_of(club)).single == (OccurrenceTerms(start, Terms(capacity=25)),)
    assert [each.capacity for each in await club.publish("spin")][:3] == [18, 25, 18]


async def test_all_sessions_from_a_date_on_get_another_price(
    club: Club, sign_in: SignIn, members: list[Opportunity]
) -> None:
    await change(await sign_in("ann"), members[2], scope="from", **{"prices.0.amount": "3"})
    terms = Terms(prices=(CHEAP, MEMBER))
    assert (await rule_of(club)).changes == (ChangeFrom(datetime(2027, 3, 8).date(), terms),)  # noqa: DTZ001
    offers = [each.offers[0].price if each.offers else None for each in await club.publish("spin")]
    assert offers[:2] == [None, None]
    assert set(offers[2:]) == {Decimal("3.00")}


async def test_a_second_change_keeps_what_it_does_not_concern(
    club: Club, sign_in: SignIn, members: list[Opportunity]
) -> None:
    ann = await sign_in("ann")
    await change(ann, members[1], capacity="25")
    await club.publish("spin")
    await change(ann, members[1], **{"prices.0.amount": "3"})
    (single,) = (await rule_of(club)).single
    assert single.terms == Terms(capacity=25, prices=(CHEAP, MEMBER))


async def test_the_usual_terms_return(club: Club, sign_in: SignIn, members: list[Opportunity]) -> None:
    ann = await sign_in("ann")
    await change(ann, members[1], capacity="25")
    await club.publish("spin")
    page = await change(ann, members[1], "usual")
    assert "Saved." in page.text
    assert (await rule_of(club)).single == ()


async def test_the_effect_is_shown_before(club: Club, sign_in: SignIn, members: list[Opportunity]) -> None:
    await club.book(members[1], "Green")
    ann, path = await sign_in("ann"), path_to(members[1])
    page = await ann.send(await ann.open(path), path, "check", scope="from", capacity="10")
    assert "0 are added, 16 changed and 0 removed" in page.text
    assert "No booking is cancelled." in page.text
    assert (await rule_of(club)).changes == ()


async def test_a_slot_gets_another_price(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("squash", SQUASH)
    slots = await club.publish("squash")
    await change(await sign_in("ann"), slots[-1], **{"prices.0.amount": "3"})
    rule = (await club.entry("squash")).rule
    assert isinstance(rule, Facility)
    (single,) = rule.single
    assert (single.court, single.terms) == ("2", Terms(prices=(CHEAP,)))


async def test_a_fault_is_at_its_field(club: Club, sign_in: SignIn, members: list[Opportunity]) -> None:
    page = await change(await sign_in("ann"), members[1], capacity="1000000", **{"prices.0.amount": "free"})
    assert page.paragraphs["prices.0.amount-wrong"] == "Enter an amount in pounds, such as 7.50, or 0."
    page = await change(await sign_in("ann"), members[1], capacity="1000000")
    assert page.paragraphs["capacity-wrong"] == "Give a number from 0 to 100,000."
    assert page.fields["capacity"]["value"] == "1000000"
    assert (await rule_of(club)).single == ()


async def test_a_form_of_an_earlier_revision_shows_the_present_state(
    club: Club, sign_in: SignIn, members: list[Opportunity]
) -> None:
    ann, path = await sign_in("ann"), path_to(members[1])
    opened = await ann.open(path)
    await club.save("spin", replace(SPIN, capacity=30))
    await club.publish("spin")
    page = await ann.send(opened, path, "check", capacity="20")
    assert "Somebody has changed this entry" in page.text
    assert page.fields["capacity"]["value"] == "30"
