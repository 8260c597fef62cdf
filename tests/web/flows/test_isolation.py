"""A Booking Partner cannot read or change data of another partner or Seller, at any endpoint, in any access mode.

The endpoints are taken from the routes of the application, so that new endpoints are tested too.
"""

import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from msgspec.structs import replace
from starlette.routing import Route

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import OrderKey
from openbooking.identity.digests import SecretKind, digest, new_id
from openbooking.identity.oauth.authorization_lifecycle import challenge, new_authorization_secret
from openbooking.identity.partners.grants import Grants, give, resume, revoke, suspend
from openbooking.identity.records import Authorization, Grant, Partner
from openbooking.identity.scopes import Scope
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, FlowRequirement
from support.builders import new_uuid, session
from support.http_system import PILATES, YOGA, World, open_world
from support.identity_provider import basic
from support.parties import CENTRE, CUSTOMER, MANAGER, STUDIO

pytestmark = pytest.mark.anyio


def approved(seller: Seller) -> tuple[Opportunity, ...]:
    """Return a session whose bookings need the approval of the Seller."""
    series, made = session(f"approved-{seller.key}", seller=seller)
    offers = tuple(replace(offer, flow=(FlowRequirement.APPROVAL,)) for offer in series.offers)
    return (replace(series, offers=offers), made)


PARTNERS = ("alice", "bob")
SELLERS = {CENTRE.key: (YOGA, 12.0), STUDIO.key: (PILATES, 14.4)}
APPROVED = {seller.key: approved(seller) for seller in (CENTRE, STUDIO)}
MODES = ("api-key", "openid", "openid with API keys", "headers")
every_way = pytest.mark.parametrize("matrix", MODES, indirect=True)
one_seller_each = pytest.mark.parametrize("matrix", ["openid", "headers"], indirect=True)
known_here = pytest.mark.parametrize("matrix", ["api-key", "openid", "openid with API keys"], indirect=True)
BASE = "/api"
REFUSED = (401, "InvalidAuthorizationDetailsError")
VERIFIER = "v" * 48


class Cell(NamedTuple):
    """A request of the matrix: a method at an endpoint, with a partner and a Seller."""

    method: str
    path: str


class Way(NamedTuple):
    """An access mode: the headers of each partner for each Seller, and for its own feeds."""

    for_seller: Mapping[tuple[str, str], dict[str, str]]
    for_feeds: Mapping[str, dict[str, str]]
    one_seller_each: bool


async def api_key(world: World) -> Way:
    """Return the access by API keys: one key for each partner, which is valid for all its Sellers."""
    by_partner = {partner: {"Authorization": f"Bearer obk_{partner}"} for partner in PARTNERS}
    return Way({(p, s): by_partner[p] for p in PARTNERS for s in SELLERS}, by_partner, one_seller_each=False)


async def openid(world: World) -> Way:
    """Return the access by tokens: one for each partner and Seller, and one for the feeds of each partner."""
    for_seller = {
        (p, s): {"Authorization": f"Bearer {await seller_token(world, p, s)}"} for p in PARTNERS for s in SELLERS
    }
    own = {p: {"Authorization": f"Bearer {await own_token(world, p)}"} for p in PARTNERS}
    return Way(for_seller, own, one_seller_each=True)


async def headers(world: World) -> Way:
    """Return the access by headers that a gateway sets."""
    for_seller = {(p, s): {"X-Partner": p, "X-Seller": world.ids.seller(s)} for p in PARTNERS for s in SELLERS}
    return Way(for_seller, {p: {"X-Partner": p} for p in PARTNERS}, one_seller_each=True)


async def seller_token(world: World, partner: str, seller: str) -> str:
    """Return an access token of this partner for this Seller, as after the Seller's consent."""
    id_, now = new_id(), world.clock()
    code = new_authorization_secret(SecretKind.CODE, id_)
    (grant,) = await world.identity.find(Grant, partner=partner, seller=seller)
    uri = f"https://{partner}.example.com/cb"
    scopes = frozenset({Scope.OPENBOOKING})
    await world.identity.save(
        Authorization(
            id=id_,
            partner=partner,
            seller=seller,
            user="ann",
            scopes=scopes,
            issued=now,
            expires=now + world.settings.identity_policy.code_lifetime,
            period=grant.period,
            redirect_uri=uri,
            code_challenge=challenge(VERIFIER),
            code_digest=digest(code),
        )
    )
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri, "code_verifier": VERIFIER}
    return await token(world, partner, form)


async def own_token(world: World, partner: str) -> str:
    """Return an access token of this partner for its own feeds."""
    return await token(world, partner, {"grant_type": "client_credentials", "scope": "openactive-ordersfeed"})


async def token(world: World, partner: str, form: dict[str, str]) -> str:
    reply = await world.client.post(
        "/oauth/token", data=form, headers={"Authorization": basic(partner, f"obs_{partner}")}
    )
    return str(reply.json()["access_token"])


WAYS = {"api-key": api_key, "openid": openid, "openid with API keys": api_key, "headers": headers}


class Matrix:
    """A Booking System with an Order, a quote and a proposal for each partner and Seller."""

    def __init__(self, world: World, way: Way) -> None:
        self.world, self.way = world, way
        self.orders = {key: new_uuid() for key in itertools.product(PARTNERS, SELLERS)}
        self.quotes = {key: new_uuid() for key in itertools.product(PARTNERS, SELLERS)}
        self.proposals = {key: new_uuid() for key in itertools.product(PARTNERS, SELLERS)}

    async def stock(self) -> "Matrix":
        """Book, quote and propose as each partner."""
        for family in APPROVED.values():
            await self.world.store.execute(Publish(family, actor=MANAGER))
        for (partner, seller), uuid in self.orders.items():
            reply = await self.send(Cell("PUT", "orders"), uuid, (partner, seller), self.body("orders", seller))
            assert reply.status_code == 201, reply.text
            await self.world.store.execute(SellerCancel(order=OrderKey(partner, uuid), actor=MANAGER))
        for path, kept in (("order-quotes", self.quotes), ("order-proposals", self.proposals)):
            for by, uuid in kept.items():
                reply = await self.send(Cell("PUT", path), uuid, by, self.body(path, by[1]))
                assert reply.status_code in (200, 201), reply.text
        for partner, uuid in ((by[0], uuid) for by, uuid in self.proposals.items()):
            await self.world.store.execute(DecideProposal(order=OrderKey(partner, uuid), accept=True, actor=MANAGER))
        return self

    @property
    def cells(self) -> list[Cell]:
        """Return the endpoints below the Base URI for Orders and their feeds."""
        app = self.world.client._transport.app  # type: ignore[attr-defined]
        found = [
            Cell(method, route.path.removeprefix(f"{BASE}/").partition("/{")[0])
            for route in app.router.routes
            if isinstance(route, Route) and route.path.startswith(f"{BASE}/")
            for method in sorted((route.methods or set()) - {"HEAD"})
        ]
        assert len(found) == len(set(found)) > 10
        return found

    def body(self, path: str, seller: str, **changes: Any) -> Any:
        """Return a valid body for an endpoint and a Seller."""
        family, total = SELLERS[seller]
        item = self.world.item(list(APPROVED[seller]) if path == "order-proposals" else family)
        types = {"orders": "Order", "order-proposals": "OrderProposal"}
        order = self.world.order(item, total=total, seller=seller, **changes)
        quote = self.world.quote(item, seller=seller, customer=CUSTOMER, **changes)
        return {**(order if path in types else quote), "@type": types.get(path, "OrderQuote")}

    def patch(self, path: str, uuid: str) -> Any:
        """Return a valid PATCH."""
        if path == "order-proposals":
            return {
                "@context": "https://openactive.io/",
                "@type": "OrderProposal",
                "orderProposalStatus": "https://openactive.io/CustomerRejected",
            }
        item = f"{self.world.ids.base_uri}/orders/{uuid}#/orderedItem/1"
        cancelled = {"@type": "OrderItem", "@id": item, "orderItemStatus": "https://openactive.io/CustomerCancelled"}
        return {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [cancelled]}

    async def send(self, cell: Cell, uuid: str, by: tuple[str, str], body: Any = None) -> httpx2.Response:
        """Send a request about an Order."""
        sent = {"Content-Type": BOOKING_MEDIA_TYPE, **self.way.for_seller[by]}
        return await self.world.client.request(cell.method, f"{BASE}/{cell.path}/{uuid}", json=body, headers=sent)

    async def feed(self, name: str, partner: str) -> list[str]:
        """Return the ids of the items in a partner's feed. Ids of deleted items begin with a minus."""
        reply = await self.world.client.get(f"{BASE}/{name}", headers=self.way.for_feeds[partner])
        assert reply.status_code == 200, reply.text
        return sorted(("" if i["state"] == "updated" else "-") + i["id"] for i in reply.json()["items"])

    def kept(self, cell: Cell) -> dict[tuple[str, str], str]:
        """Return the UUIDs of the Orders at an endpoint."""
        if cell == Cell("DELETE", "order-quotes"):
            return self.quotes
        return self.proposals if cell.path == "order-proposals" else self.orders

    async def state(self) -> str:
        """Return all data that each partner can see of its own, and the spaces left, which are public."""
        seen: list[Any] = []
        for kept in (self.orders, self.quotes, self.proposals):
            for by, uuid in kept.items():
                reply = await self.send(Cell("GET", "orders"), uuid, by)
                seen.append((reply.status_code, {**reply.json(), "lease": None, "requestId": None}))
        seen += [await self.feed(f"{name}-rpde", p) for name in ("orders", "order-proposals") for p in PARTNERS]
        return re.sub(r'"remaining\w+": \d+', "", json.dumps(seen, sort_keys=True))


@pytest.fixture
async def matrix(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Matrix]:
    """The matrix for one access mode."""
    access = request.param.partition(" ")[0]
    settings: dict[str, Any] = {"access": access}
    if access == "headers":
        settings |= {"trusted_partner_header": "X-Partner", "trusted_seller_header": "X-Seller"}
    async with open_world("sqlite", tmp_path, **settings) as world:
        yield await Matrix(world, await WAYS[request.param](world)).stock()


def verdict(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json().get("@type", "") if reply.content else ""


@every_way
@pytest.mark.spec("OB-AUTH-09", "OB-AUTH-10", "OB-AUTH-11", "OB-AUTH-18", "OB-ID-13")
async def test_no_partner_reaches_data_of_another(matrix: Matrix) -> None:
    """A UUID names a different Order for each partner."""
    before = await matrix.state()
    tried = 0
    every_kind = (matrix.orders, matrix.quotes, matrix.proposals)
    for cell, (owner, other), uuids in itertools.product(matrix.cells, itertools.permutations(PARTNERS), every_kind):
        if cell.path.endswith("-rpde") or cell.method == "PUT":
            continue
        for key in SELLERS:
            uuid = uuids[(owner, key)]
            body = matrix.patch(cell.path, uuid) if cell.method == "PATCH" else None
            reply = await matrix.send(cell, uuid, (other, key), body)
            expected = (204, "") if cell == Cell("DELETE", "order-quotes") else (404, "UnknownOrderError")
            assert verdict(reply) == expected, (cell, owner, other)
            tried += 1
    assert tried >= len(PARTNERS) * len(SELLERS) * 3 * 5
    assert await matrix.state() == before


@every_way
@pytest.mark.spec("OB-AUTH-09", "OB-ID-13", "OB-AUTH-18")
async def test_partners_may_use_the_same_uuids(matrix: Matrix) -> None:
    before = await matrix.state()
    for (owner, seller), uuid in matrix.orders.items():
        other = PARTNERS[1 - PARTNERS.index(owner)]
        for path, success in (("order-quote-templates", 200), ("order-quotes", 200), ("orders", 201)):
            reply = await matrix.send(Cell("PUT", path), uuid, (other, seller), matrix.body(path, seller))
            assert reply.status_code == success, reply.text
    assert await matrix.state() == before


@every_way
@pytest.mark.spec("OB-AUTH-11")
async def test_each_partner_has_feeds_of_its_own(matrix: Matrix) -> None:
    for cell in matrix.cells:
        if not cell.path.endswith("-rpde"):
            continue
        for partner in PARTNERS:
            kept = matrix.orders if cell.path == "orders-rpde" else matrix.proposals
            own = {uuid for (owner, _), uuid in kept.items() if owner == partner}
            assert set(await matrix.feed(cell.path, partner)) == own


@one_seller_each
@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-10", "OB-AUTH-14")
async def test_requests_for_a_seller_that_did_not_authorise_are_refused(matrix: Matrix) -> None:
    """Each endpoint refuses a request about one Seller with credentials for another Seller.

    An API key is valid for all Sellers of its partner. A later test revokes the grant of one Seller.
    """
    before = await matrix.state()
    for cell, partner, (asked, shown) in itertools.product(matrix.cells, PARTNERS, itertools.permutations(SELLERS)):
        if cell.path.endswith("-rpde"):
            continue
        uuid = matrix.kept(cell)[(partner, asked)]
        if cell.method == "PUT":
            uuid = new_uuid()
        body = {"PUT": matrix.body(cell.path, asked), "PATCH": matrix.patch(cell.path, uuid)}.get(cell.method)
        reply = await matrix.send(cell, uuid, (partner, shown), body)
        assert verdict(reply) == REFUSED, (cell, partner, asked, shown)
    assert await matrix.state() == before


@pytest.mark.parametrize("matrix", ["openid"], indirect=True)
@pytest.mark.spec("OB-AUTH-24", "OB-AUTH-25")
async def test_a_token_of_a_client_reads_its_feeds_and_nothing_else(matrix: Matrix) -> None:
    """A token for one Seller cannot read a feed, because the feed has Orders of other Sellers too."""
    before = await matrix.state()
    for cell, by in itertools.product(matrix.cells, matrix.orders):
        wrong = matrix.way.for_seller[by] if cell.path.endswith("-rpde") else matrix.way.for_feeds[by[0]]
        path = cell.path if cell.path.endswith("-rpde") else f"{cell.path}/{matrix.kept(cell)[by]}"
        body = {"PUT": matrix.body(cell.path, by[1]), "PATCH": matrix.patch(cell.path, matrix.kept(cell)[by])}
        sent = {"Content-Type": BOOKING_MEDIA_TYPE, **wrong}
        reply = await matrix.world.client.request(
            cell.method, f"{BASE}/{path}", json=body.get(cell.method), headers=sent
        )
        assert verdict(reply) == REFUSED, (cell, by)
    assert await matrix.state() == before


@known_here
@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-07", "OB-AUTH-10", "OB-AUTH-27")
@pytest.mark.parametrize("change", [suspend, revoke])
async def test_a_revoked_grant_is_refused_everywhere_at_once(matrix: Matrix, change: Any) -> None:
    """Requests of that partner for that Seller are refused. A new grant restores the access."""
    world = matrix.world
    grants, taken = Grants(world.identity, world.store, world.clock), ("alice", CENTRE.key)
    feeds = {partner: await matrix.feed("orders-rpde", partner) for partner in PARTNERS}
    await grants.change(*taken, change, MANAGER)
    for cell, by in itertools.product(matrix.cells, matrix.orders):
        if cell.path.endswith("-rpde"):
            continue
        quoted, uuid = cell == Cell("DELETE", "order-quotes"), matrix.kept(cell)[by]
        if by != taken and cell.method in ("DELETE", "PATCH"):
            continue
        if cell.method == "PUT":
            uuid = new_uuid()
        body = {"PUT": matrix.body(cell.path, by[1]), "PATCH": matrix.patch(cell.path, uuid)}.get(cell.method)
        reply = await matrix.send(cell, uuid, by, body)
        ended = quoted and change is revoke and not matrix.way.one_seller_each
        if by == taken:
            assert verdict(reply) == ((204, "") if ended else REFUSED), (cell, by)
        else:
            assert reply.status_code in (200, 201), (cell, by)
    hidden = {matrix.orders[taken]} if change is revoke else set()
    shown = [f"-{uuid}" if uuid in hidden else uuid for uuid in feeds["alice"]]
    assert await matrix.feed("orders-rpde", "alice") == sorted(shown)
    assert await matrix.feed("orders-rpde", "bob") == feeds["bob"]
    await grants.change(*taken, resume if change is suspend else give(frozenset({Scope.OPENBOOKING})), MANAGER)
    assert await matrix.feed("orders-rpde", "alice") == feeds["alice"]


@every_way
@pytest.mark.spec("OB-AUTH-01", "OB-AUTH-12", "OB-AUTH-19")
async def test_requests_without_valid_credentials_are_refused(matrix: Matrix) -> None:
    """Missing credentials, credentials of another access mode, and credentials in a body or URL are refused."""
    world = matrix.world
    expected = (403, "NoAPITokenError" if world.settings.access == "api-key" else "UnauthenticatedError")
    body = {**matrix.body("orders", CENTRE.key), "broker": {"@type": "Organization", "name": "A", "token": "obk_alice"}}
    for cell in matrix.cells:
        path = cell.path if cell.path.endswith("-rpde") else f"{cell.path}/{matrix.orders[('alice', CENTRE.key)]}"
        for sent in ({}, {"X-Api-Key": "obk_alice"}, {"Cookie": "access_token=obk_alice"}):
            reply = await world.client.request(
                cell.method, f"{BASE}/{path}?access_token=obk_alice&api_key=obk_alice", json=body, headers=sent
            )
            assert verdict(reply) == expected, (cell, sent)


@known_here
@pytest.mark.spec("OB-AUTH-08")
async def test_new_credentials_keep_the_orders(matrix: Matrix) -> None:
    world = matrix.world
    (alice,) = await world.identity.find(Partner, key="alice")
    fields = {name: getattr(alice, name) for name in alice.__struct_fields__}
    anew = {"api_key_digest": digest("obk_anew"), "secret_digest": digest("obs_anew")}
    before = await matrix.state()
    await world.identity.save(Partner(**{**fields, **anew}))
    if not matrix.way.one_seller_each:
        reply = await matrix.send(Cell("GET", "orders"), new_uuid(), ("alice", CENTRE.key))
        assert verdict(reply) == (401, "InvalidAPITokenError")
        for by in (("alice", CENTRE.key), ("alice", STUDIO.key)):
            matrix.way.for_seller[by]["Authorization"] = "Bearer obk_anew"
    else:
        form = {"grant_type": "client_credentials", "scope": "openactive-ordersfeed"}
        old, new = [
            await world.client.post("/oauth/token", data=form, headers={"Authorization": basic("alice", secret)})
            for secret in ("obs_alice", "obs_anew")
        ]
        assert (old.status_code, new.status_code) == (401, 200)
        matrix.way.for_feeds["alice"]["Authorization"] = f"Bearer {new.json()['access_token']}"
    assert await matrix.state() == before
