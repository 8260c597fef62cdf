"""Valid requests to every endpoint of a Booking System, sent directly to its ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

import msgspec
from starlette.routing import Route
from starlette.types import Message

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.identity.digests import SecretKind, digest, new_id
from openbooking.identity.oauth.authorization_lifecycle import challenge, new_authorization_secret
from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Authorization, Grant
from openbooking.identity.scopes import Scope
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OPENACTIVE
from openbooking.web.test_interface.opportunities import RECIPES, VOCABULARY
from support.approval_flow import NEGOTIATED
from support.browsers.form_browser import Visitor
from support.builders import session
from support.console_timetable import Club
from support.fuzz.console_requests import console_requests
from support.fuzz.mutations import Asked, Json
from support.http_system import World
from support.identity_provider import PASSWORD, basic
from support.parties import CENTRE, CUSTOMER, MANAGER
from support.timetables import SPIN, VENUE

# No request needs this long; a request that does hangs.
_SECONDS = 60
_SESSIONS = 40
_MANY = 1_000_000
_VERIFIER = "v" * 48
_BEARER = {"Authorization": "Bearer obk_alice", "Content-Type": BOOKING_MEDIA_TYPE}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ACTIONS = (
    "SellerRequestedCancellation",
    "SellerRequestedCancellationWithMessage",
    "CustomerNotice",
    "AttendeeAttended",
    "AttendeeAbsent",
    "AccessCodeUpdate",
    "AccessPassUpdate",
    "AccessChannelUpdate",
    "Replacement",
)
_PROPOSAL_ACTIONS = ("SellerAcceptOrderProposal", "SellerRejectOrderProposal", "SellerAmendOrderProposal")
_LOGISTICS_ACTIONS = ("ChangeOfLogisticsName", "ChangeOfLogisticsTime", "ChangeOfLogisticsLocation")
_TYPES: tuple[Json, ...] = (
    {"@type": "ScheduledSession", "superEvent": {"@type": "SessionSeries"}},
    {"@type": "Slot", "facilityUse": {"@type": "FacilityUse"}},
    {"@type": "Slot", "facilityUse": {"@type": "IndividualFacilityUse"}},
    {"@type": "HeadlineEvent"},
    {"@type": "Event", "superEvent": {"@type": "CourseInstance"}},
    {"@type": "OnDemandEvent"},
)


class Answer(NamedTuple):
    """A response. `decided` is true if a command was decided, or something was written."""

    status: int
    media_type: str
    body: bytes
    decided: bool

    @property
    def error(self) -> str:
        """The class of the error, if the response is an error of the API."""
        try:
            told = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return ""
        return str(told.get("@type", "")) if isinstance(told, dict) and self.status >= 400 else ""


class Asking:
    """A sender of random valid requests to all endpoints; `reached` are the routes that answered."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world, self._chance = world, chance
        self._app = world.client._transport.app  # type: ignore[attr-defined]
        self._decisions = 0
        self.reached = set[str]()
        self._orders: list[tuple[str, str]] = []
        self._proposals: list[tuple[str, str]] = []
        self._quotes: list[str] = []
        self._made: list[str] = []
        self._things = {
            "key": "bob",
            "name": "cat",
            "number": "1",
            "partner": "alice",
            "entry": "spin",
            "request": "r1",
            "opportunity": "",
            "uuid": "",
        }
        routes = [route for route in self._app.router.routes if isinstance(route, Route)]
        self._pages_of_console = console_requests(routes, chance, self._things)
        self._paths: list[str] = []
        self._page_headers: dict[str, str] = {}
        self._form_token = ""
        self._registration_token = ""
        self._families = [session(f"many-{number}", capacity=_MANY) for number in range(_SESSIONS)]
        self._approved = [
            session(f"approved-{number}", capacity=_MANY, offered={"flow": NEGOTIATED}) for number in range(_SESSIONS)
        ]
        self._ways: dict[str, Callable[[], Asked | Awaitable[Asked]]] = {
            "C1": self._c1,
            "C2": self._c2,
            "B": self._b,
            "P": self._p,
            "order": self._order,
            "cancel": self._cancel,
            "proposal": self._proposal,
            "delete": self._delete,
            "status": self._status,
            "feeds": self._feeds,
            "own feeds": self._own_feeds,
            "plain": self._plain,
            "test: create": self._create,
            "test: act": self._act,
            "test: delete": self._delete_dataset,
            "pages": self._pages,
            "authorize": self._authorize,
            "consent": self._consent,
            "token": self._token,
            "revoke": self._revoke,
            "register": self._register,
            "sign in": self._sign_in,
            # The console has most of the pages.
            "console": self._console,
            "more of the console": self._console,
            "registration": self._registration,
        }

    async def prepare(self) -> None:
        """Publish Opportunities, save a class, sign in a manager, and watch which requests lead to a decision."""
        for family in (*self._families, *self._approved):
            await self._world.store.execute(Publish(tuple(family), actor=MANAGER))
        await Club(self._world).save("riverside", VENUE)
        await Club(self._world).save("spin", SPIN)
        await self.sign_in()
        for owner, name in ((self._world.store, "execute"), (self._world.identity, "save")):
            self._count(owner, name)

    async def sign_in(self) -> None:
        """Sign in a manager, and make a registration token, because earlier requests may have ended the session."""
        visitor = Visitor(self._world.client)
        page = await visitor.sign_in("ann", PASSWORD, "/sign-in?next=/password")
        self._form_token = next(iter(page.forms)).fields["form_token"]
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        self._page_headers = {"Cookie": cookies}
        registration = Registration(self._world.identity, self._world.clock)
        self._registration_token = await registration.new_token(f"Acme {new_id()}", None, None)

    def routes(self) -> set[str]:
        """Return the paths of all endpoints, with names for their parameters."""
        return {route.path_format for route in self._app.router.routes if isinstance(route, Route)}

    async def request(self) -> Asked:
        """Return a valid request to one of the endpoints."""
        self._things["opportunity"] = self._chance.choice(self._families)[-1].path
        self._things["uuid"] = self._known(self._orders, "orders")[0].rpartition("/")[2]
        way = self._ways[self._chance.choice(list(self._ways))]
        asked = way()
        return asked if isinstance(asked, Asked) else await asked

    async def send(self, asked: Asked) -> Answer:
        """Send the request to the application, and return the response. Exceptions of the application are raised."""
        before = self._decisions
        sent: list[Message] = []
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "https",
            "path": unquote(asked.path, errors="replace"),
            "raw_path": asked.path.encode(),
            "query_string": asked.query_string,
            "root_path": "",
            "headers": asked.raw_headers,
            "server": ("booking.example.com", 443),
            "client": ("192.0.2.1", 1),
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        async with asyncio.timeout(_SECONDS):
            await self._app(scope, receive, send)
        self.reached.add(getattr(scope.get("route"), "path_format", ""))
        headers = dict(sent[0]["headers"])
        body = b"".join(message.get("body", b"") for message in sent[1:])
        media_type = headers.get(b"content-type", b"").decode("latin-1")
        answer = Answer(sent[0]["status"], media_type, body, decided=self._decisions > before)
        self._remember(asked, answer)
        return answer

    def _count(self, owner: Any, name: str) -> None:
        do = getattr(owner, name)

        async def counted(*arguments: Any, **named: Any) -> Any:
            self._decisions += 1
            return await do(*arguments, **named)

        setattr(owner, name, counted)

    def _remember(self, asked: Asked, answer: Answer) -> None:
        """Remember ids in the response, for later requests."""
        if answer.status != 201:
            if asked.endpoint == "C2" and answer.status == 200:
                _keep(self._quotes, asked.path)
            return
        if asked.endpoint in ("B", "P"):
            order = msgspec.json.decode(answer.body)
            if order.get("@type") == "Order":
                _keep(self._orders, (asked.path, order["orderedItem"][0].get("@id", "")))
            elif order.get("orderProposalVersion"):
                _keep(self._proposals, (asked.path, order["orderProposalVersion"]))
        elif asked.endpoint == "test: create":
            _keep(self._made, msgspec.json.decode(answer.body)["@id"])

    def _uuid(self) -> str:
        chance = self._chance
        return f"{chance.getrandbits(32):08x}-{chance.getrandbits(16):04x}-4000-8000-{chance.getrandbits(48):012x}"

    def _items(self, families: list[Any]) -> list[Json]:
        number = self._chance.choice((1, 1, 2, 5))
        return [self._world.item(self._chance.choice(families), position) for position in range(number)]

    def _call(self, endpoint: str, method: str, path: str, body: Json | None = None) -> Asked:
        return Asked(endpoint, method, f"/api/{path}", headers=_BEARER, json=body)

    def _c1(self) -> Asked:
        return self._call(
            "C1", "PUT", f"order-quote-templates/{self._uuid()}", self._world.quote(*self._items(self._families))
        )

    def _c2(self) -> Asked:
        body = self._world.quote(*self._items(self._families), customer=CUSTOMER)
        return self._call("C2", "PUT", f"order-quotes/{self._uuid()}", body)

    def _b(self) -> Asked:
        items = self._items(self._families)
        return self._call("B", "PUT", f"orders/{self._uuid()}", self._world.order(*items, total=12 * len(items)))

    def _p(self) -> Asked:
        items = self._items(self._approved)
        body = self._world.order(*items, total=12 * len(items), **{"@type": "OrderProposal"})
        return self._call("P", "PUT", f"order-proposals/{self._uuid()}", body)

    def _known(self, known: list[tuple[str, str]], collection: str) -> tuple[str, str]:
        return self._chance.choice(known) if known else (f"/api/{collection}/{self._uuid()}", "")

    def _order(self) -> Asked:
        """Return B after P."""
        path, version = self._known(self._proposals, "order-proposals")
        body = {"@context": OPENACTIVE, "@type": "Order", "orderProposalVersion": version}
        return self._call("B", "PUT", f"orders/{path.rpartition('/')[2]}", body)

    def _cancel(self) -> Asked:
        path, item = self._known(self._orders, "orders")
        status = f"{OPENACTIVE}CustomerCancelled"
        items = [{"@type": "OrderItem", "@id": item, "orderItemStatus": status}]
        body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": items}
        return Asked("cancel", "PATCH", path, headers=_BEARER, json=body)

    def _proposal(self) -> Asked:
        path, _ = self._known(self._proposals, "order-proposals")
        body = {"@context": OPENACTIVE, "@type": "OrderProposal"}
        change = {"orderProposalStatus": f"{OPENACTIVE}CustomerRejected", "orderCustomerNote": "Too late."}
        return Asked("proposal", "PATCH", path, headers=_BEARER, json={**body, **change})

    def _delete(self) -> Asked:
        if self._quotes and self._chance.randrange(2):
            return Asked("delete", "DELETE", self._chance.choice(self._quotes), headers=_BEARER)
        return Asked("delete", "DELETE", self._known(self._orders, "orders")[0], headers=_BEARER)

    def _status(self) -> Asked:
        return Asked("status", "GET", self._known(self._orders, "orders")[0], headers=_BEARER)

    def _feeds(self) -> Asked:
        if not self._chance.randrange(8):
            path = self._chance.choice(("venues/centre/hall", "session-series/yoga", "facility-uses/courts", ""))
            return Asked("feeds", "GET", f"/calendar/{path}.ics", headers={"Accept-Encoding": "gzip"})
        feed = self._chance.choice(sorted({type_.feed for type_ in OpportunityType}))
        after = str(self._chance.randrange(200))
        return Asked("feeds", "GET", f"/feeds/{feed}", {"afterChangeNumber": after}, {"Accept-Encoding": "gzip"})

    def _own_feeds(self) -> Asked:
        feed = self._chance.choice(("orders-rpde", "order-proposals-rpde"))
        after = str(10**9 - self._chance.randrange(100))
        return Asked("own feeds", "GET", f"/api/{feed}", {"afterChangeNumber": after}, _BEARER)

    def _plain(self) -> Asked:
        """Return the next request that needs only a path."""
        if not self._paths:
            plain = (path for path in self.routes() if "{" not in path and not path.startswith("/console"))
            self._paths = sorted(plain)
        return Asked("plain", "GET", self._paths.pop(), headers=self._page_headers)

    def _create(self) -> Asked:
        kind = dict(self._chance.choice(_TYPES))
        link = next((name for name in ("superEvent", "facilityUse") if name in kind), "")
        owner = {
            "provider" if kind["@type"] == "Slot" else "organizer": {
                "@type": "Organization",
                "@id": self._world.ids.seller(CENTRE.key),
            }
        }
        flow = self._chance.choice(("OpenBookingSimpleFlow", "OpenBookingApprovalFlow"))
        body = {
            **kind,
            **({link: {**kind[link], **owner}} if link else owner),
            "test:testOpportunityCriteria": VOCABULARY + self._chance.choice(sorted(RECIPES)),
            "test:testOpenBookingFlow": VOCABULARY + flow,
        }
        return self._call("test: create", "POST", "test-interface/datasets/a/opportunities", body)

    def _act(self) -> Asked:
        known = {
            _ACTIONS: self._known(self._orders, "orders")[0],
            _PROPOSAL_ACTIONS: self._known(self._proposals, "order-proposals")[0],
            _LOGISTICS_ACTIONS: self._chance.choice(self._made) if self._made else "/api/scheduled-sessions/x",
        }
        actions = self._chance.choice(list(known))
        where = known[actions]
        id_ = where if where.startswith("https:") else f"{self._world.settings.site}{where}"
        action = f"test:{self._chance.choice(actions)}SimulateAction"
        return self._call("test: act", "POST", "test-interface/actions", {"@type": action, "object": {"@id": id_}})

    def _delete_dataset(self) -> Asked:
        dataset = self._chance.choice(("a", "b", "c", "c", "c"))
        return self._call("test: delete", "DELETE", f"test-interface/datasets/{dataset}")

    def _page(self, endpoint: str, path: str, form: dict[str, str] | None = None, **query: str) -> Asked:
        headers = {**self._page_headers, **_FORM} if form is not None else self._page_headers
        filled = {"form_token": self._form_token, **form} if form is not None else None
        return Asked(endpoint, "GET" if form is None else "POST", path, query, headers, form=filled)

    def _pages(self) -> Asked:
        """Return a request for a page without a form, or a change of a password."""
        password = {"password": "wrong", "new_password": "lampshade orbit", "repeated": "lampshade orbit"}
        return self._chance.choice(
            (
                self._page("pages", "/password"),
                self._page("pages", "/password", password),
                self._page("pages", "/set-password", link="obl_x"),
                self._page("pages", "/set-password", {"link": "obl_x", "new_password": "x", "repeated": "x"}),
                self._page("pages", "/sign-in", next="/partners"),
                self._page("pages", "/registration", token=self._registration_token),
            )
        )

    def _asked_of_the_provider(self) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": "alice",
            "redirect_uri": "https://alice.example.com/cb",
            "scope": "openid offline_access openactive-openbooking",
            "state": "xyz",
            "nonce": "n",
            "prompt": "consent",
            "max_age": "3600",
            "code_challenge": challenge(_VERIFIER),
            "code_challenge_method": "S256",
        }

    def _authorize(self) -> Asked:
        return self._page("authorize", "/oauth/authorize")._replace(query=self._asked_of_the_provider())

    def _consent(self) -> Asked:
        decision = self._chance.choice(("allow", "deny"))
        form = {"request": urlencode(self._asked_of_the_provider()), "decision": decision}
        return self._page("consent", "/oauth/consent", form)

    async def _token(self) -> Asked:
        form = {"grant_type": "client_credentials", "scope": "openactive-ordersfeed"}
        if self._chance.randrange(2):
            form = {
                "grant_type": "authorization_code",
                "code": await self._code(),
                "redirect_uri": "https://alice.example.com/cb",
                "code_verifier": _VERIFIER,
            }
        return self._for_client("token", "/oauth/token", form)

    def _revoke(self) -> Asked:
        return self._for_client("revoke", "/oauth/revoke", {"token": "obt_x", "token_type_hint": "refresh_token"})

    def _for_client(self, endpoint: str, path: str, form: dict[str, str]) -> Asked:
        headers = {**_FORM, "Authorization": basic("alice", "obs_alice")}
        return Asked(endpoint, "POST", path, headers=headers, form=form)

    async def _code(self) -> str:
        """Return an authorization code, as after consent."""
        id_, now = new_id(), self._world.clock()
        code = new_authorization_secret(SecretKind.CODE, id_)
        (grant,) = await self._world.identity.find(Grant, partner="alice", seller=CENTRE.key)
        await self._world.identity.save(
            Authorization(
                id=id_,
                partner="alice",
                seller=CENTRE.key,
                user="ann",
                scopes=frozenset({Scope.OPENBOOKING}),
                issued=now,
                expires=now + self._world.settings.identity_policy.code_lifetime,
                period=grant.period,
                redirect_uri="https://alice.example.com/cb",
                code_challenge=challenge(_VERIFIER),
                code_digest=digest(code),
            )
        )
        return code

    def _register(self) -> Asked:
        body = {
            "client_name": "Acme App",
            "client_uri": "https://acme.example",
            "contacts": ["dev@acme.example"],
            "redirect_uris": ["https://acme.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_basic",
        }
        headers = {"Authorization": f"Bearer {self._registration_token}", "Content-Type": "application/json"}
        return Asked("register", "POST", "/oauth/register", headers=headers, json=body)

    def _sign_in(self) -> Asked:
        form = {"username": f"user-{self._chance.randrange(10**9)}", "password": "wrong", "next": "/partners"}
        return self._page("sign in", "/sign-in", form)

    def _console(self) -> Asked:
        asked = next(self._pages_of_console)
        return self._page("console", asked.path, asked.fields)

    def _registration(self) -> Asked:
        form = {
            "token": self._registration_token,
            "name": "Acme App",
            "contact": "dev@acme.example",
            "site": "https://acme.example",
            "redirect_uris": "https://acme.example/cb",
        }
        return self._page("registration", "/registration", form)


def _keep(known: list[Any], what: Any) -> None:
    """Keep the latest hundred."""
    known.append(what)
    del known[:-100]
