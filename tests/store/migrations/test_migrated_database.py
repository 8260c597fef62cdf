"""A database that commit a3d1fe2 has written is migrated, and its Orders, quotes, feeds and sessions still work."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import Connection, text

from openbooking.booking.commands.opportunities.show_other_sales import show_other_sales
from openbooking.booking.event_queue import StoreWithEvents
from openbooking.booking.model.order_event import OrderCancelled
from openbooking.identity.import_records import FollowedFeed, WaitingItems
from openbooking.openactive.ids import key_of
from openbooking.openactive.terms import OPENACTIVE
from openbooking.store.backends import scheme_of
from openbooking.store.migrate import run_in_migration, upgrade
from openbooking.store.schema import REVISION
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, open_store
from openbooking.testing.postgres import PostgresServer
from support.browsers.form_browser import Visitor
from support.databases.database_a3d1fe2 import (
    GALA,
    KEPT,
    LANES,
    ORDERS,
    PROPOSALS,
    QUOTES,
    RACE,
    RELAY,
    REPEATS,
    RUN,
    SHOWN,
    UUIDS,
    YOGA,
    Json,
    act,
    book_proposal,
    clock,
    load,
    put,
    reopened,
    settings,
    spaces,
    standing,
    until,
)
from support.http_system import SITE, Follower, World
from support.identity_provider import PASSWORD, basic
from support.importing.made_up_imports import import_
from support.parties import CUSTOMER
from support.simulated_seller import CONTEXT

pytestmark = pytest.mark.anyio

CANCELLED, SELLER_CANCELLED = f"{OPENACTIVE}CustomerCancelled", f"{OPENACTIVE}SellerCancelled"
CONFIRMED, ATTENDED, ABSENT = (
    f"{OPENACTIVE}{name}" for name in ("OrderItemConfirmed", "AttendeeAttended", "AttendeeAbsent")
)
PAYMENT = {"@type": "Payment", "identifier": "payment-1"}
STATUSES = {
    "awaiting": "AwaitingSellerConfirmation",
    "accepted": "SellerRejected",
    "amended": "CustomerRejected",
    "amended and accepted": "SellerAccepted",
    "rejected by the seller": "SellerRejected",
    "rejected by the customer": "CustomerRejected",
    "ended and closed": "SellerRejected",
    "ended": "SellerRejected",
}
LEASED = {UUIDS[name] for name in ("leased, named", "leased, anonymous", "leased at the old price")}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The migrated database, which tests copy."""
    if request.param == "sqlite":
        database = str(tmp_path_factory.mktemp("migrated") / "x.sqlite3")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.bare_database()
    run_in_migration(database, load)
    assert upgrade(database).revision == REVISION
    return database


@pytest.fixture
def database(migrated: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a copy of the migrated database."""
    if not scheme_of(migrated):
        return shutil.copy(migrated, str(tmp_path / "x.sqlite3"))
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database(urlsplit(migrated).path.removeprefix("/"))


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Yield the Booking System with a copy of the migrated database."""
    async with reopened(database) as opened:
        yield opened


def without_spaces(value: Any) -> Any:
    """Return the item without its spaces left, which depend on Leases."""
    if isinstance(value, list):
        return [without_spaces(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {name: without_spaces(held) for name, held in value.items() if not name.startswith("remaining")}


async def test_the_migrated_database_has_no_findings(database: str) -> None:
    store = open_store(settings(database), clock())
    assert await store.check_integrity() == []
    await store.close()


async def test_the_migrated_database_can_keep_followed_feeds(database: str) -> None:
    store = open_identity_store(settings(database))
    feed = FollowedFeed(source="https://provider.example.com/", since=clock()(), items=5)
    waiting = WaitingItems(feed=feed.source, batch="1", parents=("session-series/1",), since=feed.since, items=("{}",))
    assert await store.save(feed, waiting)
    assert [found.items for found in await store.find(FollowedFeed, source=feed.source)] == [5]
    assert [found.items for found in await store.find(WaitingItems, feed=feed.source, batch="1")] == [("{}",)]
    await store.close()


async def test_the_migrated_database_keeps_order_events(world: World) -> None:
    """Earlier Orders are not told; a change of an earlier Order is."""
    assert isinstance(world.store, StoreWithEvents)
    await world.store.events.keep_until(world.clock() + timedelta(days=1))
    assert await world.store.events.due(world.clock(), 10) == []
    await act(world, "confirmed", "SellerRequestedCancellation")
    (waiting,) = await world.store.events.due(world.clock(), 10)
    assert (type(waiting.event), waiting.event.order.uuid) == (OrderCancelled, UUIDS["confirmed"])


async def test_the_migrated_database_counts_spaces_sold_elsewhere(database: str) -> None:
    path = f"scheduled-sessions/{YOGA[1]}"
    statement = text("INSERT INTO sold_elsewhere (path, spaces) VALUES (:path, 1)")

    def sell(connection: Connection) -> None:
        connection.execute(statement, {"path": path})

    async with reopened(database) as world:
        before = await spaces(world, YOGA)
        await asyncio.to_thread(run_in_migration, database, sell)
        assert isinstance(world.store, SqlStore)
        await show_other_sales(world.store, world.store)
        assert await spaces(world, YOGA) == before - 1


@pytest.mark.spec("OB-B-10", "OB-B-11", "OB-APP-16")
async def test_a_repeated_booking_gets_the_same_bytes_as_before(world: World) -> None:
    """The keys of the request may be in another order. A refusal has the same reason as before."""
    for name, repeat in REPEATS.items():
        for body in (repeat["body"], dict(reversed(repeat["body"].items()))):
            reply = await world.call("PUT", repeat["path"], body, repeat["partner"])
            answer = reply.text if reply.status_code == 201 else reply.json()["@type"]
            assert (reply.status_code, answer) == (repeat["status"], repeat["reply"]), name


@pytest.mark.spec("OB-OST-02")
async def test_orders_quotes_and_proposals_are_unchanged(world: World) -> None:
    for kept in KEPT["gets"]:
        uuid, reply = key_of(kept["path"]), await world.call("GET", kept["path"], partner=kept["partner"])
        if uuid == UUIDS["ended"]:
            continue  # nobody has decided in time by now
        assert reply.status_code == kept["status"], uuid
        if reply.status_code != 200:
            assert reply.json()["@type"] == kept["reply"], uuid
        elif uuid in LEASED:
            assert without_spaces(reply.json()) == without_spaces(json.loads(kept["reply"])), uuid
        else:
            assert reply.json() == json.loads(kept["reply"]), uuid


async def test_feeds_continue_above_the_earlier_numbers(world: World) -> None:
    """A harvester that has read to the end reads on and misses no change, and no item is lost."""
    highest = max(modified for feed in KEPT["feeds"].values() for _, _, modified in feed["items"])
    for name, feed in KEPT["feeds"].items():
        path, partner = name.split()
        headers = {"Authorization": f"Bearer obk_{partner}"}
        following = (await world.client.get(feed["next"], headers=headers)).json()["items"]
        assert all(item["modified"] > highest for item in following)
        page = (await world.client.get(path, headers=headers)).json()["items"]
        now = {str(item["id"]): [item["state"], item["modified"]] for item in page}
        new = {str(item["id"]) for item in following}
        assert now.keys() == new | {id_ for id_, *_ in feed["items"]}
        assert all(now[id_] == told for id_, *told in feed["items"] if id_ not in new)
    follower = Follower(world, YOGA[0])
    await follower.news()
    await put(world, f"orders/{UUIDS['ended, named']}", REPEATS["confirmed"]["body"])
    (news,) = (await follower.news()).values()
    assert news["modified"] > highest


@pytest.mark.spec("OB-CAN-01", "OB-DEL-01")
async def test_a_broker_cancels_and_deletes_what_it_booked(world: World) -> None:
    yoga, run = await spaces(world, YOGA), await spaces(world, RUN)
    order = await standing(world, "to be cancelled")
    items = [{"@type": "OrderItem", "@id": i["@id"], "orderItemStatus": CANCELLED} for i in order["orderedItem"][:1]]
    patch = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": items}
    reply = await world.call("PATCH", f"orders/{UUIDS['to be cancelled']}", patch)
    assert (reply.status_code, await spaces(world, YOGA)) == (204, yoga + 1)
    order = await standing(world, "to be cancelled")
    assert [item["orderItemStatus"] for item in order["orderedItem"]] == [CANCELLED, CONFIRMED]
    assert order["totalPaymentDue"]["price"] == 12
    shown = (await world.read_feed(ORDERS))[UUIDS["to be cancelled"]]["data"]
    assert shown["orderedItem"][0]["orderItemStatus"] == CANCELLED
    assert (await world.call("DELETE", f"orders/{UUIDS['to be cancelled']}")).status_code == 204
    assert (await spaces(world, YOGA), await spaces(world, RUN)) == (yoga + 1, run + 1)
    assert (await standing(world, "to be cancelled", status=410))["@type"] == "GoneError"
    assert (await world.call("DELETE", f"orders/{UUIDS['deleted']}")).status_code == 204


ACTIONS: dict[str, tuple[str, str, Callable[[Json, Json], bool]]] = {
    "cancelled": (
        "confirmed",
        "SellerRequestedCancellation",
        lambda _, now: now["orderItemStatus"] == SELLER_CANCELLED,
    ),
    "told why": ("imported", "SellerRequestedCancellationWithMessage", lambda _, now: bool(now["cancellationMessage"])),
    "noticed": ("moved", "CustomerNotice", lambda _, now: bool(now["customerNotice"])),
    "present": ("proposed and booked", "AttendeeAttended", lambda _, now: now["orderItemStatus"] == ATTENDED),
    "attendance mended": ("attended", "AttendeeAbsent", lambda _, now: now["orderItemStatus"] == ABSENT),
    "replaced": ("confirmed", "Replacement", lambda old, now: now["orderedItem"] != old["orderedItem"]["@id"]),
    "replaced again": ("replaced", "Replacement", lambda old, now: now["orderedItem"] != old["orderedItem"]["@id"]),
    "another code": ("with access", "AccessCodeUpdate", lambda old, now: now["accessCode"] != old["accessCode"]),
    "another pass": (
        "with access renewed",
        "AccessPassUpdate",
        lambda old, now: now["accessPass"] != old["accessPass"],
    ),
    "other channel": (
        "with access",
        "AccessChannelUpdate",
        lambda old, now: now["accessChannel"] != old["accessChannel"],
    ),
}


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02", "OB-SEL-06", "OB-NOTIF-02", "OB-NOTIF-07", "OB-NOTIF-08")
@pytest.mark.parametrize("what", ACTIONS)
async def test_a_seller_changes_what_was_booked(world: World, what: str) -> None:
    name, action, effect = ACTIONS[what]
    before = (await standing(world, name))["orderedItem"][0]
    follower = Follower(world, ORDERS)
    await follower.news()
    await act(world, name, action)
    (news,) = (await follower.news()).values()
    assert (news["id"], news["state"]) == (UUIDS[name], "updated")
    assert effect(before, news["data"]["orderedItem"][0])
    assert (await standing(world, name))["orderedItem"][0]["@id"] == before["@id"]


@pytest.mark.spec("OB-NOTIF-06", "OB-APP-26")
async def test_a_change_of_logistics_reaches_every_migrated_order(world: World) -> None:
    follower = Follower(world, ORDERS)
    await follower.news()
    walk = {"@type": "Event", "@id": f"{SITE}/api/identifiers/events/walk"}
    body = {"@context": CONTEXT, "@type": "test:ChangeOfLogisticsTimeSimulateAction", "object": walk}
    assert (await world.call("POST", "test-interface/actions", body)).status_code == 204
    news = await follower.news()
    assert set(news) == {UUIDS["moved"]}
    item = (await standing(world, "moved"))["orderedItem"][0]["orderedItem"]
    assert (item["startDate"], item["name"]) == ("2027-03-04T18:00:00Z", "Long Walk")


@pytest.mark.spec("OB-APP-25", "OB-APP-29", "OB-AMEND-07")
@pytest.mark.parametrize(
    ("name", "accepts", "due"),
    [
        ("awaiting", True, 24),
        ("awaiting with details", True, 12),
        ("with notes", True, 12),
        ("amended", True, 22.5),
        ("accepted", False, 24),
        ("amended and accepted", False, 23),
        ("of another partner", True, 12),
    ],
)
async def test_a_proposal_is_accepted_and_booked(world: World, name: str, accepts: bool, due: float) -> None:
    partner = "bob" if name == "of another partner" else "alice"
    if accepts:
        await act(world, name, "SellerAcceptOrderProposal", "OrderProposal", partner)
    order = await book_proposal(world, name, partner)
    assert order["totalPaymentDue"]["price"] == due
    again = await standing(world, name, partner)
    assert [item["orderItemStatus"] for item in again["orderedItem"]] == [CONFIRMED] * len(order["orderedItem"])
    assert (await world.read_feed(PROPOSALS, partner))[UUIDS[name]]["state"] == "deleted"
    await act(world, name, "SellerRequestedCancellation", partner=partner)


@pytest.mark.spec("OB-APP-24", "OB-APP-28", "OB-APP-32")
async def test_a_proposal_is_rejected_amended_and_withdrawn_and_a_rejection_is_final(world: World) -> None:
    await act(world, "awaiting", "SellerAmendOrderProposal", "OrderProposal")
    await act(world, "accepted", "SellerRejectOrderProposal", "OrderProposal")
    withdrawn = {
        "@context": OPENACTIVE,
        "@type": "OrderProposal",
        "orderProposalStatus": f"{OPENACTIVE}CustomerRejected",
    }
    assert (await world.call("PATCH", f"order-proposals/{UUIDS['amended']}", withdrawn)).status_code == 204
    shown = await world.read_feed(PROPOSALS)
    statuses = {name: shown[UUIDS[name]]["data"]["orderProposalStatus"].removeprefix(OPENACTIVE) for name in STATUSES}
    assert statuses == STATUSES
    for name in ("rejected by the seller", "rejected by the customer", "ended and closed", "ended"):
        assert (await book_proposal(world, name, status=500))["@type"] == "OrderCreationFailedError"


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-12")
@pytest.mark.parametrize(("name", "due", "where"), [("leased, named", 48, YOGA), ("leased at the old price", 40, GALA)])
async def test_a_lease_is_renewed_and_booked_at_its_terms(world: World, name: str, due: float, where: Any) -> None:
    left, path = await spaces(world, where), f"order-quotes/{UUIDS[name]}"
    until_then = (await standing(world, name))["lease"]["leaseExpires"]
    world.pass_time(minutes=5)
    quote = await put(world, path, QUOTES[name], status=200)
    assert quote["totalPaymentDue"]["price"] == due
    assert quote["lease"]["leaseExpires"] > until_then
    body = {**QUOTES[name], "@type": "Order", "totalPaymentDue": quote["totalPaymentDue"], "payment": PAYMENT}
    order = await put(world, f"orders/{UUIDS[name]}", body)
    assert order["totalPaymentDue"]["price"] == due
    assert await spaces(world, where) == left


async def test_an_anonymous_lease_becomes_a_named_one_and_an_order(world: World) -> None:
    name = "leased, anonymous"
    quote = await put(world, f"order-quotes/{UUIDS[name]}", {**QUOTES[name], "customer": CUSTOMER}, "bob", 200)
    assert (quote["totalPaymentDue"]["price"], await spaces(world, RELAY)) == (24, 3)
    body = {**QUOTES[name], "@type": "Order", "customer": CUSTOMER, "totalPaymentDue": quote["totalPaymentDue"]}
    await put(world, f"orders/{UUIDS[name]}", {**body, "payment": PAYMENT}, "bob")
    assert await spaces(world, RELAY) == 3


@pytest.mark.spec("OB-LEASE-20", "OB-APP-28")
async def test_held_spaces_are_free_again_when_the_hold_ends(world: World) -> None:
    """This includes holds that ended before the migration and were not swept."""

    async def left(*expected: int) -> bool:
        return [await spaces(world, where) for where in (RELAY, RACE, GALA)] == list(expected)

    assert await left(3, 7, 7)
    world.pass_time(minutes=15)
    await until(lambda: left(4, 7, 9))
    for name, partner in (("leased, named", "alice"), ("leased, anonymous", "bob")):
        await standing(world, name, partner, 404)
    world.pass_time(hours=4)
    await until(lambda: left(4, 8, 9))


async def test_imported_opportunities_keep_their_ids_and_another_import_changes_nothing(world: World) -> None:
    followers = [Follower(world, name.split()[0], name.split()[1]) for name in KEPT["feeds"] if "dora" not in name]
    for follower in followers:
        await follower.news()
    for feed in KEPT["imported"]["feeds"]:
        pages = [page.encode() for page in feed["pages"]]
        told = await import_(world.store, *pages, source=feed["source"], seller=feed["seller"])
        for line in told:
            if line.get("path") and line["outcome"] != "seller":
                assert line["path"] == KEPT["imported"]["paths"][line["item"].split()[-1]]
    assert [await follower.news() for follower in followers] == [{}] * len(followers)
    free = await spaces(world, LANES)
    order = await standing(world, "imported")
    await act(world, "imported", "SellerRequestedCancellation")
    assert await spaces(world, LANES) == free + 1
    assert len(order["orderedItem"]) == 4


async def test_keys_and_grants_stay_valid(world: World) -> None:
    """Partners with a suspended grant still read their feed; a revoked grant withholds the Orders booked with it."""
    for partner, name, status in (
        ("alice", "confirmed", 200),
        ("bob", "through a reseller", 200),
        ("bob", "imported for the studio", 200),
        ("charlie", "net", 401),
        ("dora", "withheld", 401),
        ("dora", "of a grant that holds", 200),
        ("erin", "of a suspended partner", 401),
        ("nobody", "confirmed", 401),
        ("alice", "net", 404),
    ):
        assert (await world.call("GET", f"orders/{UUIDS[name]}", partner=partner)).status_code == status, partner
        feed = await world.client.get(ORDERS, headers={"Authorization": f"Bearer obk_{partner}"})
        assert feed.status_code == (401 if partner == "nobody" else 200), partner
    (withheld,) = (await world.read_feed(ORDERS, "dora")).values()
    assert (withheld["id"], withheld["state"]) == (UUIDS["withheld"], "deleted")


async def test_a_grant_for_every_seller_stays_valid_except_where_it_was_revoked(world: World) -> None:
    studio, centre = (REPEATS[name]["body"] for name in ("of a grant that holds", "to be cancelled"))
    for body, status in ((centre, 200), (studio, 401)):
        sent = {**body, "@type": "OrderQuote"}
        await put(world, f"order-quote-templates/{UUIDS['ended, named']}", sent, "finn", status)


async def test_tokens_sessions_and_passwords_keep_their_lifetimes(world: World) -> None:
    async def token(client: tuple[str, str], **form: str) -> httpx2.Response:
        headers = {"Authorization": basic(*client)}
        return await world.client.post("/oauth/token", data=form, headers=headers)

    async def reads(bearer: str, path: str) -> int:
        return (await world.client.get(path, headers={"Authorization": f"Bearer {bearer}"})).status_code

    order = f"/api/orders/{UUIDS['confirmed']}"
    assert await reads(SHOWN["access_token"], order) == 200
    alice = ("alice", "obs_alice")
    fresh = (await token(alice, grant_type="refresh_token", refresh_token=SHOWN["refresh_token"])).json()
    assert await reads(fresh["access_token"], order) == 200
    registered = (SHOWN["registered"]["key"], SHOWN["registered"]["secret"])
    for client in (alice, registered):
        own = await token(client, grant_type="client_credentials", scope="openactive-ordersfeed")
        assert await reads(own.json()["access_token"], ORDERS) == 200
    bearer = {"Authorization": f"Bearer {SHOWN['registration_token']}"}
    metadata = {"client_name": "Tern", "redirect_uris": ["https://tern.example.com/cb"]}
    assert (await world.client.post("/oauth/register", json=metadata, headers=bearer)).status_code == 201


async def test_people_stay_signed_in_and_can_sign_in_again(world: World) -> None:
    visitor = Visitor(world.client)
    visitor.cookies.update(SHOWN["session"])
    page = await visitor.open("/partners")
    assert (page.url, "Alice" in page.text) == (f"{SITE}/partners", True)
    page = await visitor.send(page, "/partners/alice/suspend")
    assert (await world.call("GET", f"orders/{UUIDS['confirmed']}")).status_code == 401
    for name in ("ben", "eve"):
        assert (await Visitor(world.client).sign_in(name, PASSWORD)).url == f"{SITE}/console"
    link = await Visitor(world.client).open(f"/set-password?link={SHOWN['link']}")
    assert link.status == 200
