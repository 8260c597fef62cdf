"""Grants of Sellers, and the Orders feeds that follow them, also after a crash."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import Caller, Order, OrderKey
from openbooking.booking.store import ORDERS, Feed
from openbooking.identity.partners.grants import ConcurrentChangeError, change_terms, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState
from openbooking.identity.scopes import Scope
from openbooking.testing.samples import read_feed
from support.builders import PRICE, UUID, item, new_uuid, request, session
from support.identity_provider import Desk
from support.parties import CENTRE, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

YOGA, PILATES = session("yoga"), session("pilates", seller=STUDIO)
BOOKING = give(frozenset({Scope.OPENBOOKING}))


async def booked(desk: Desk, family: list[Any] = YOGA, uuid: str = UUID) -> None:
    """Book an Order of alice, and wait until her Orders feed shows it."""
    await desk.bookings.execute(Publish(tuple(family), actor=MANAGER))
    seller = family[-1].seller
    total = PRICE if seller == CENTRE.key else PRICE * Decimal("1.2")
    asked = request(item(family), seller=seller, total_payment_due=total)
    reply = await desk.bookings.execute(Book(caller=Caller("alice"), uuid=uuid, request=asked))
    assert isinstance(reply, Order)
    assert not reply.has_errors
    await desk.bookings.execute(SellerCancel(order=OrderKey("alice", uuid), actor=MANAGER))


async def feed(desk: Desk) -> dict[str, bool]:
    """Return for each Order in alice's feed whether it is shown or deleted."""
    shown = await read_feed(desk.bookings, Feed(ORDERS, "alice"))
    return {uuid: data is not None for uuid, data in shown.items()}


async def change(desk: Desk, seller: str, how: Any) -> Grant:
    return await desk.provider.grants.change("alice", seller, how, MANAGER)


@pytest.mark.spec("OB-AUTH-06", "OB-AUTH-07", "OB-AUTH-27")
async def test_the_orders_feed_follows_what_sellers_allow(desk: Desk) -> None:
    other = new_uuid()
    for family, uuid in ((YOGA, UUID), (PILATES, other)):
        await change(desk, family[-1].seller, BOOKING)
        await booked(desk, family, uuid)
    assert await feed(desk) == {UUID: True, other: True}
    for how, shown in ((suspend, True), (resume, True), (revoke, False), (BOOKING, True)):
        await change(desk, CENTRE.key, how)
        assert await feed(desk) == {UUID: shown, other: True}


async def test_one_seller_can_be_excluded_from_a_grant_of_every_seller(desk: Desk) -> None:
    """A partner that books for every Seller can lose one Seller, and then all others."""
    other = new_uuid()
    await change(desk, EVERY_SELLER, BOOKING)
    await booked(desk)
    await booked(desk, PILATES, other)
    await change(desk, STUDIO.key, revoke)
    assert await feed(desk) == {UUID: True, other: False}
    await change(desk, EVERY_SELLER, revoke)
    assert await feed(desk) == {UUID: False, other: False}
    await change(desk, STUDIO.key, BOOKING)
    assert await feed(desk) == {UUID: False, other: True}


async def test_a_revocation_interrupted_by_a_crash_is_finished_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await change(desk, CENTRE.key, BOOKING)
    await booked(desk)

    async def crash(command: Any) -> Any:
        assert isinstance(command, Withhold)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(desk.bookings, "execute", crash)
        with pytest.raises(KeyboardInterrupt):
            await change(desk, CENTRE.key, revoke)
    (grant,) = await desk.store.find(Grant)
    assert grant.state is GrantState.REVOKED
    assert await feed(desk) == {UUID: True}
    await desk.provider.grants.update_changed_feeds()
    assert await feed(desk) == {UUID: False}


async def test_an_order_booked_just_before_a_revocation_leaves_the_feed(desk: Desk) -> None:
    """The feed is updated again for one minute. Then the grant is settled."""
    await change(desk, CENTRE.key, BOOKING)
    await change(desk, CENTRE.key, revoke)
    await booked(desk)
    assert await feed(desk) == {UUID: True}
    await desk.provider.grants.update_changed_feeds()
    assert await feed(desk) == {UUID: False}
    desk.clock.move(timedelta(minutes=2))
    await desk.provider.grants.update_changed_feeds()
    assert await desk.store.find(Grant, settled=False) == []


async def test_a_grant_changed_in_the_future_is_settled(desk: Desk) -> None:
    desk.clock.move(timedelta(days=10))
    await change(desk, CENTRE.key, BOOKING)
    desk.clock.move(timedelta(days=-10))
    await desk.provider.grants.update_changed_feeds()
    assert await desk.store.find(Grant, settled=False) == []


async def test_a_revoked_grant_stays_revoked(desk: Desk) -> None:
    first = await change(desk, CENTRE.key, revoke)
    assert (first.state, first.allows_booking) == (GrantState.REVOKED, False)
    await change(desk, CENTRE.key, BOOKING)
    once = await change(desk, CENTRE.key, revoke)
    assert (await change(desk, CENTRE.key, revoke)).period == once.period
    assert (await change(desk, CENTRE.key, suspend)).state is GrantState.REVOKED
    assert (await change(desk, CENTRE.key, resume)).state is GrantState.REVOKED


async def test_consent_ends_a_suspension(desk: Desk) -> None:
    await change(desk, CENTRE.key, give(frozenset({Scope.OPENBOOKING}), "ann"))
    await change(desk, CENTRE.key, suspend)
    again = await change(desk, CENTRE.key, give(frozenset({Scope.OPENID}), "dan"))
    assert (again.state, again.scopes) == (GrantState.ACTIVE, frozenset({Scope.OPENID, Scope.OPENBOOKING}))
    assert again.agreed_by == frozenset({"dan"})


async def test_two_concurrent_grant_changes_are_both_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that conflicts at each attempt fails."""
    await change(desk, CENTRE.key, BOOKING)
    save, overtaken = desk.store.save, 0

    async def slow(*records: Any, **others: Any) -> bool:
        nonlocal overtaken
        if overtaken:
            overtaken -= 1
            (known,) = await desk.store.find(Grant)
            await save(replace(known, changed_by="somebody faster"))
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", slow)
    overtaken = 2
    assert (await change(desk, CENTRE.key, suspend)).state is GrantState.SUSPENDED
    overtaken = 99
    with pytest.raises(ConcurrentChangeError):
        await change(desk, CENTRE.key, resume)


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01", "OB-AUTH-07")
async def test_terms_outlive_consent_and_suspension_and_end_with_revocation(desk: Desk) -> None:
    terms = GrantTerms(offer_overrides=True, venues=frozenset({"Hall"}))
    await change(desk, CENTRE.key, give(frozenset({Scope.OPENBOOKING}), "ann"))
    for how in (change_terms(lambda _: terms), BOOKING, give(frozenset({Scope.OPENID}), "dan"), suspend, resume):
        assert (await change(desk, CENTRE.key, how)).terms == terms
    narrowed = await change(desk, CENTRE.key, change_terms(lambda held: replace(held, offer_overrides=False)))
    assert (narrowed.terms, narrowed.state) == (replace(terms, offer_overrides=False), GrantState.ACTIVE)
    for how in (revoke, change_terms(lambda _: terms), BOOKING):
        assert (await change(desk, CENTRE.key, how)).terms == NO_TERMS
    assert (await desk.store.find(Grant, seller=CENTRE.key))[0].changed_by == "ann"


async def test_a_new_grant_of_a_seller_inherits_the_terms_of_every_seller(desk: Desk) -> None:
    terms = GrantTerms(venues=frozenset({"Hall"}))
    await change(desk, EVERY_SELLER, BOOKING)
    await change(desk, EVERY_SELLER, change_terms(lambda _: terms))
    assert (await change(desk, CENTRE.key, give(frozenset({Scope.OPENBOOKING}), "ann"))).terms == terms
    assert (await change(desk, STUDIO.key, revoke)).terms == NO_TERMS
