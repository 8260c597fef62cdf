"""The pages of the people who work for a Seller, and the choice among the Sellers of one account."""

import asyncio
import re

import msgspec
import pytest

from openbooking.identity.records import Role, User
from support.browsers.form_browser import Page, Visitor
from support.console import SignIn
from support.http_system import SITE, World

pytestmark = pytest.mark.anyio

STAFF, ADD, CAT = "/console/staff", "/console/staff/add", "/console/staff/people/cat"
NEW = "four unrelated words here"


async def added(visitor: Visitor, **fields: str) -> Page:
    return await visitor.send(await visitor.open(ADD), ADD, **fields)


async def people(world: World) -> dict[str, dict[str, Role]]:
    return {user.name: dict(user.roles) for user in await world.identity.find(User)}


def link_on(page: Page) -> str:
    found = re.search(r'<code id="link">([^<]+)</code>', page.response.text)
    assert found
    return found[1]


async def test_a_manager_adds_a_person_who_sets_a_password(world: World, sign_in: SignIn) -> None:
    page = await added(await sign_in("ann"), name=" Eve@Riverside.example ", role="staff")
    link = link_on(page)
    assert link.startswith(f"{SITE}/set-password?link=obl_")
    assert "until Thursday 4 March 2027" in page.text
    eve = Visitor(world.client)
    page = await eve.send(await eve.open(link), "/set-password", new_password=NEW, repeated=NEW)
    assert page.url == world.start
    page = await (await sign_in("ann")).open(STAFF)
    assert re.search(r"ann manager password cat staff password eve@riverside.example staff password", page.text)
    assert link not in page.response.text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "", "role": "staff"}, "name"),
        ({"name": "CAT", "role": "staff"}, "name"),
        ({"name": "ben", "role": "manager"}, "name"),
        ({"name": "e" * 101, "role": "staff"}, "name"),
        ({"name": "eve\u202e", "role": "staff"}, "name"),
        ({"name": "eve"}, "role"),
        ({"name": "eve", "role": "owner"}, "role"),
    ],
    ids=str,
)
async def test_a_wrong_field_is_named_and_nobody_is_added(
    world: World, sign_in: SignIn, fields: dict[str, str], wrong: str
) -> None:
    before = await people(world)
    visitor = await sign_in("ann")
    token = (await visitor.open(ADD)).form(ADD).fields["form_token"]
    page = await visitor.post(ADD, {"form_token": token, **fields})
    assert (page.status, page.summary) == (422, [wrong])
    assert page.fields["name"]["value"] == fields["name"]
    assert await people(world) == before


async def test_a_role_is_changed(world: World, sign_in: SignIn) -> None:
    ann, cat = await sign_in("ann"), await sign_in("cat")
    assert (await cat.open(STAFF)).status == 403
    page = await ann.send(await ann.open(CAT), CAT, role="manager")
    assert "Role changed." in page.text
    assert (await cat.open(STAFF)).status == 200
    page = await ann.send(await ann.open(CAT), CAT, role="king")
    assert (page.status, page.summary) == (422, ["role"])
    assert (await people(world))["cat"] == {"centre": Role.MANAGER}


async def test_a_manager_who_becomes_staff_sees_today(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await ann.send(await ann.open(CAT), CAT, role="manager")
    own = "/console/staff/people/ann"
    page = await ann.send(await ann.open(own), own, role="staff")
    assert page.url == f"{SITE}/console?done=role"
    assert (await ann.open(STAFF)).status == 403


async def test_a_removed_person_is_signed_out(world: World, sign_in: SignIn) -> None:
    ann, cat = await sign_in("ann"), await sign_in("cat")
    page = await ann.send(await ann.open(f"{CAT}/remove"), f"{CAT}/remove")
    assert "Removed." in page.text
    assert "cat" not in await people(world)
    assert (await cat.open("/console")).url.startswith(f"{SITE}/sign-in")
    assert (await ann.open(CAT)).status == 404


async def test_the_last_manager_stays(world: World, sign_in: SignIn) -> None:
    ann, own = await sign_in("ann"), "/console/staff/people/ann"
    page = await ann.send(await ann.open(own), own, role="staff")
    assert (page.status, page.summary) == (422, ["role"])
    page = await ann.send(await ann.open(f"{own}/remove"), f"{own}/remove")
    assert (page.status, "last manager" in page.text) == (422, True)
    assert (await people(world))["ann"] == {"centre": Role.MANAGER}


async def test_a_new_link_replaces_a_lost_password(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.send(await ann.open(CAT), f"{CAT}/link")
    assert "A new link for cat" in page.text
    cat = Visitor(world.client)
    await cat.send(await cat.open(link_on(page)), "/set-password", new_password=NEW, repeated=NEW)
    assert (await Visitor(world.client).sign_in("cat", NEW)).url == world.start


async def test_a_shared_account_gets_its_link_from_the_operator(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(CAT)
    (cat,) = await world.identity.find(User, name="cat")
    await world.identity.save(replace_roles(cat, studio=Role.STAFF))
    page = await ann.send(page, f"{CAT}/link")
    assert (page.status, "Ask the operator" in page.text) == (422, True)
    assert "Make a link" not in page.text


async def test_a_user_of_two_sellers_sees_the_chosen_one(world: World, sign_in: SignIn) -> None:
    (cat,) = await world.identity.find(User, name="cat")
    await world.identity.save(replace_roles(cat, studio=Role.MANAGER))
    visitor = await sign_in("cat")
    page = await visitor.open("/console/sellers")
    assert "All pages show Riverside Centre now." in page.text
    assert "Pine Studio manager Show Pine Studio Riverside Centre staff chosen" in page.text
    assert (await visitor.open(STAFF)).status == 403
    old = page.form("/console/sellers").fields
    page = await visitor.send(page, "/console/sellers")
    assert "All pages show this organisation now." in page.text
    page = await visitor.open(STAFF)
    assert "These people can sign in to the pages of Pine Studio." in page.text
    assert "ann" not in page.text
    # A form of the pages of the other Seller is out of date.
    page = await visitor.post(ADD, {"form_token": old["form_token"], "name": "eve", "role": "staff"})
    assert (page.status, "Nothing has been changed" in page.text) == (403, True)
    elsewhere = await sign_in("cat")
    assert "All pages show Riverside Centre now." in (await elsewhere.open("/console/sellers")).text


async def test_a_seller_of_another_account_cannot_be_chosen(sign_in: SignIn) -> None:
    visitor = await sign_in("ann")
    page = await visitor.open("/console/sellers")
    assert "Change organisation Today" not in page.text
    token = page.form("/sign-out").fields["form_token"]
    page = await visitor.post("/console/sellers", {"form_token": token, "seller": "studio"})
    assert page.status == 404
    assert "Riverside Centre" in (await visitor.open("/console/sellers")).text


def replace_roles(user: User, **others: Role) -> User:
    return msgspec.structs.replace(user, others=others)


async def test_two_managers_who_remove_each_other_at_once_leave_one(world: World, sign_in: SignIn) -> None:
    ann, cat, own = await sign_in("ann"), await sign_in("cat"), "/console/staff/people/ann"
    await ann.send(await ann.open(CAT), CAT, role="manager")
    pages = await ann.open(f"{CAT}/remove"), await cat.open(f"{own}/remove")
    await asyncio.gather(ann.send(pages[0], f"{CAT}/remove"), cat.send(pages[1], f"{own}/remove"))
    assert len(await people(world)) == 2
    assert "ben" in await people(world)


async def test_a_person_who_is_removed_twice_at_once_is_removed_once(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"{CAT}/remove")
    pages = await asyncio.gather(*(ann.send(page, f"{CAT}/remove") for _ in range(4)))
    assert sorted(page.status for page in pages) == [200, 404, 404, 404]


@pytest.mark.parametrize("form", [CAT, f"{CAT}/remove"])
async def test_a_page_with_an_old_role_shows_the_present_role(world: World, sign_in: SignIn, form: str) -> None:
    ann = await sign_in("ann")
    old = await ann.open(form)
    await ann.send(await ann.open(CAT), CAT, role="manager")
    page = await ann.send(old, form, role="staff")
    assert (page.status, "The role has changed since you opened this page." in page.text) == (422, True)
    assert (await people(world))["cat"] == {"centre": Role.MANAGER}
    assert page.form(form).fields["seen_role"] == "manager"


async def test_a_link_ends_when_the_person_gets_another_role(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    link = link_on(await ann.send(await ann.open(CAT), f"{CAT}/link"))
    await ann.send(await ann.open(CAT), CAT, role="manager")
    assert "new_password" not in (await Visitor(world.client).open(link)).fields
