"""Access of a Broker in each mode of a Booking System: headers of a gateway, API keys, and an OpenID provider."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.broker import ApiKey, AuthorizationError, ItemCancelled, Person, Registration, register
from openbooking.identity.oauth.registration import Registration as Registrar
from openbooking.identity.records import Authorization, Partner
from openbooking.openactive.errors import InvalidAPITokenError, InvalidAuthorizationDetailsError
from support.broker.systems import ACCESS, Served, Till, carry_out, open_broker, serving_world
from support.browsers.form_browser import Visitor
from support.http_system import YOGA
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio

SAM = Person(email="sam@example.com")


async def consent(served: Served, broker: Any) -> Any:
    """Have a manager of the centre consent in a browser, and return the tokens."""
    consent = await broker.start_authorization()
    visitor = Visitor(served.world.client)
    page = await visitor.sign_in("ann", PASSWORD, consent.url)
    if not page.left_for:
        page = await visitor.send(page, "/oauth/consent", "allow")
    return await broker.finish_authorization(page.left_for, consent.state)


async def book_and_cancel(served: Served, broker: Any) -> None:
    """Quote, book and pay a space, cancel it, and be told so."""
    basket = await broker.basket([served.choice(YOGA)], customer_key="sam", customer=SAM)
    assert (await basket.quote()).is_bookable
    booked = await basket.book()
    item = str(booked.reply.ordered_item[0].id)
    await broker.cancel(booked.order, "sam", [item])
    changes = [change async for change in broker.changes()]
    assert changes[0] == ItemCancelled(order=booked.order, item=item, by_seller=False, is_last=True)


@pytest.mark.spec("OB-AUTH-02", "OB-AUTH-24", "OB-AUTH-25", "OB-AUTH-28", "OB-BRK-13")
@pytest.mark.parametrize("mode", ACCESS)
async def test_a_broker_books_and_reads_its_feed_in_each_mode(
    kind: str, databases: tuple[dict[str, str], str], tmp_path: Path, mode: str
) -> None:
    access, settings = ACCESS[mode]
    async with serving_world(folder=tmp_path, **databases[0], **settings) as served:
        broker = open_broker(kind, served, access, databases[1], payments=Till())
        if mode == "OpenID":
            basket = await broker.basket([served.choice(YOGA)], customer_key="sam")
            with pytest.raises(AuthorizationError, match="has not authorised"):
                await basket.quote()
            tokens = await consent(served, broker)
            assert (tokens.seller, tokens.seller_name) == (served.world.ids.seller("centre"), "Riverside Centre")
            assert await broker.authorized_sellers() == (tokens.seller,)
        await book_and_cancel(served, broker)
        await broker.close()


@pytest.mark.spec("OB-AUTH-26", "OB-AUTH-32")
async def test_tokens_are_renewed_before_they_end_and_survive_the_process(tmp_path: Path) -> None:
    location = str(tmp_path / "broker.sqlite3")
    access, settings = ACCESS["OpenID"]
    async with serving_world("sqlite", tmp_path, **settings) as served:
        first = open_broker("blocking", served, access, location, payments=Till())
        tokens = await consent(served, first)
        await first.close()
        served.world.pass_time(hours=1)
        second = open_broker("asynchronous", served, access, location, payments=Till())
        await book_and_cancel(served, second)
        (kept,) = await carry_out(second, (await carry_out(second, second._flows.credentials.open_id())).sellers())
        assert kept.refresh_token != tokens.refresh_token
        await second.close()


async def test_an_authorization_that_has_ended_is_reported(tmp_path: Path) -> None:
    access, settings = ACCESS["OpenID"]
    async with serving_world("sqlite", tmp_path, **settings) as served:
        broker = open_broker("asynchronous", served, access, str(tmp_path / "broker.sqlite3"), payments=Till())
        await consent(served, broker)
        for found in await served.world.identity.find(Authorization):
            await served.world.identity.save(replace(found, ended=True))
        basket = await broker.basket([served.choice(YOGA)], customer_key="sam")
        with pytest.raises(InvalidAuthorizationDetailsError):
            await basket.quote()
        served.world.pass_time(hours=1)
        with pytest.raises(AuthorizationError) as caught:
            await basket.quote()
        assert caught.value.code == "invalid_grant"
        await broker.close()


async def test_the_address_of_a_booking_system_is_enough(tmp_path: Path) -> None:
    async with serving_world("sqlite", tmp_path) as served:
        root = served._replace(site=served.site.removesuffix("openactive"))
        broker = open_broker("blocking", root, ApiKey("obk_alice"), str(tmp_path / "broker.sqlite3"), payments=Till())
        system = await broker.discover()
        assert (system.site, system.api) == (served.site, served.world.settings.base_uri)
        assert {feed.type for feed in system.feeds} >= {"SessionSeries", "ScheduledSession", "Slot", "Event"}
        await broker.close()


async def test_a_wrong_key_is_reported(tmp_path: Path) -> None:
    async with serving_world("sqlite", tmp_path) as served:
        broker = open_broker(
            "asynchronous", served, ApiKey("obk_wrong"), str(tmp_path / "broker.sqlite3"), payments=Till()
        )
        basket = await broker.basket([served.choice(YOGA)], customer_key="sam")
        with pytest.raises(InvalidAPITokenError):
            await basket.quote()
        with pytest.raises(AuthorizationError, match="OpenIdClient"):
            await broker.start_authorization()
        await broker.close()


@pytest.mark.spec("OB-AUTH-33")
async def test_a_broker_registers_itself(tmp_path: Path) -> None:
    _, settings = ACCESS["OpenID"]
    async with serving_world("sqlite", tmp_path, **settings) as served:
        world = served.world
        token = await Registrar(world.identity, world.clock).new_token("Acme Ltd", None, None)
        anonymous = open_broker("asynchronous", served, ApiKey(""), str(tmp_path / "first.sqlite3"), payments=Till())
        system = await anonymous.discover()
        described = Registration("Acme", ("https://acme.example.com/cb",), site="https://acme.example.com/")
        client = await carry_out(anonymous, register(system.authority, token, described))
        with pytest.raises(AuthorizationError) as caught:
            await carry_out(anonymous, register(system.authority, "wrong", described))
        assert caught.value.code == "invalid_token"
        await anonymous.close()
        (partner,) = await world.identity.find(Partner, key=client.client_id)
        assert (partner.name, partner.site) == ("Acme", "https://acme.example.com/")
        broker = open_broker("asynchronous", served, client, str(tmp_path / "second.sqlite3"), payments=Till())
        await consent(served, broker)
        await book_and_cancel(served, broker)
        await broker.close()
