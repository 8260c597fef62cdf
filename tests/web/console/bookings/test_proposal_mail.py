"""The page on which staff ask for e-mail about proposals."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.identity.records import ProposalMail
from support.console import SignIn, signed_in
from support.http_system import World, open_world

pytestmark = pytest.mark.anyio

PATH = "/console/e-mail"
ADDRESS = "cat@riverside.example.com"
MAIL = {"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_security": "none", "smtp_from": "desk@booking.example.com"}


@pytest.fixture
def world_settings(world_settings: dict[str, str]) -> dict[str, object]:
    """The settings for each kind of store, with a mail server that cannot be reached."""
    return {**world_settings, **MAIL}


async def wishes(world: World) -> list[tuple[str, str, str]]:
    return [(wish.seller, wish.username, wish.address) for wish in await world.identity.find(ProposalMail)]


async def test_staff_ask_for_mail_change_the_address_and_stop_it(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cat.open("/console/proposals")
    assert f'href="{PATH}"' in page.response.text
    page = await cat.send(await cat.open(PATH), PATH, address=f" {ADDRESS} ", wanted="yes")
    assert "Saved." in page.text
    assert await wishes(world) == [("centre", "cat", ADDRESS)]
    assert "checked" in page.fields["wanted"]
    page = await cat.send(page, PATH, address="desk@riverside.example.com")
    assert await wishes(world) == [("centre", "cat", "desk@riverside.example.com")]
    fields = page.form(PATH).fields
    del fields["wanted"]
    await cat.post(PATH, fields)
    assert await wishes(world) == []


async def test_a_new_address_keeps_what_was_told(world: World, sign_in: SignIn) -> None:
    wish = ProposalMail(seller="centre", username="cat", account="cat", address=ADDRESS, told=("alice/1",))
    await world.identity.save(wish)
    cat = await sign_in("cat")
    await cat.send(await cat.open(PATH), PATH, address="new@example.com")
    (found,) = await world.identity.find(ProposalMail)
    assert (found.address, found.told) == ("new@example.com", ("alice/1",))


@pytest.mark.parametrize("fields", [{"address": "third@example.com", "wanted": "yes"}, {}])
async def test_a_form_in_an_old_window_shows_the_present_address(
    world: World, sign_in: SignIn, fields: dict[str, str]
) -> None:
    cat = await sign_in("cat")
    old = await cat.send(await cat.open(PATH), PATH, address=ADDRESS, wanted="yes")
    await cat.send(await cat.open(PATH), PATH, address="new@example.com", wanted="yes")
    hidden = {name: old.form(PATH).fields[name] for name in ("form_token", "seen")}
    page = await cat.post(PATH, {**hidden, **fields})
    assert (page.status, "Nothing has been saved." in page.text) == (422, True)
    assert page.fields["address"]["value"] == "new@example.com"
    assert await wishes(world) == [("centre", "cat", "new@example.com")]


@pytest.mark.parametrize("address", ["", "cat", "cat@", "a b@example.com", "cat@example.com\r\nBcc: eve@example.com"])
async def test_a_wrong_address_is_refused_at_its_field(world: World, sign_in: SignIn, address: str) -> None:
    cat = await sign_in("cat")
    page = await cat.send(await cat.open(PATH), PATH, address=address, wanted="yes")
    assert page.status == 422
    assert page.summary == ["address"]
    assert await wishes(world) == []


async def test_each_user_changes_the_own_address_only(world: World, sign_in: SignIn) -> None:
    other = ProposalMail(seller="centre", username="ann", account="ann", address="ann@riverside.example.com")
    await world.identity.save(other, replace(other, seller="studio", username="ben", account="ben"))
    cat = await sign_in("cat")
    assert "ann@riverside" not in (await cat.open(PATH)).response.text
    await cat.post(PATH, {"form_token": (await cat.open(PATH)).form(PATH).fields["form_token"]})
    assert len(await wishes(world)) == 2


async def test_without_a_mail_server_the_page_says_so(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path) as world:
        page = await (await signed_in(world, "cat")).open(PATH)
        assert "sends no e-mail" in page.text
        assert "address" not in page.fields
