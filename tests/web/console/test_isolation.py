"""Isolation: no page shows or changes anything of another Seller, and staff see no page for managers.

The tests read the routes from the application. Each route is in ROUTES, or is one of OTHER_ROUTES; a new route must be
added there. Its parameters are filled in with things of the centre. The users are a manager and staff of the centre, a
manager and staff of the studio, a manager of both who has chosen the studio, and nobody.
"""

import re
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx2
import pytest
from starlette.responses import PlainTextResponse

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import OrderQuery, StoreWithViews
from openbooking.identity.records import Grant, Role, User
from openbooking.web.console.timetable.rule_forms import RuleKind
from openbooking.web.error_pages import PageRoute
from support.approval_flow import TRIP, proposal_of
from support.browsers.form_browser import Visitor
from support.builders import UUID, new_uuid
from support.console import SignIn, desk_booking
from support.console_timetable import Club
from support.http_system import YOGA, World
from support.identity_provider import grant, partner, password_hash
from support.parties import CENTRE, CUSTOMER, MANAGER, STUDIO
from support.timetables import SPIN

pytestmark = pytest.mark.anyio


class For(Enum):
    """Who may see a page."""

    EVERYBODY = auto()
    MANAGERS = auto()
    ADMINISTRATORS = auto()


_ORDER, _PERSON = "/console/orders/{partner}/{uuid}", "/console/staff/people/{name:path}"
ROUTES = {
    "/console": For.EVERYBODY,
    "/console/sellers": For.EVERYBODY,
    "/console/register/{opportunity:path}": For.EVERYBODY,
    "/console/cancel/{opportunity:path}": For.EVERYBODY,
    "/console/cancelled/{opportunity:path}": For.EVERYBODY,
    "/console/notify/{opportunity:path}": For.EVERYBODY,
    "/console/desk": For.EVERYBODY,
    "/console/desk/book/{opportunity:path}": For.EVERYBODY,
    "/console/desk/pay/{uuid}": For.EVERYBODY,
    "/console/desk/receipt/{uuid}": For.EVERYBODY,
    "/console/desk/takings": For.EVERYBODY,
    "/console/timetable": For.EVERYBODY,
    "/console/timetable/close": For.EVERYBODY,
    "/console/timetable/sheet": For.EVERYBODY,
    "/console/timetable/terms/{opportunity:path}": For.MANAGERS,
    **{f"/console/timetable/add/{kind}": For.MANAGERS for kind in RuleKind},
    "/console/timetable/entries/{entry}": For.MANAGERS,
    "/console/timetable/entries/{entry}/remove": For.MANAGERS,
    "/console/e-mail": For.EVERYBODY,
    "/console/publication": For.EVERYBODY,
    "/console/publication/{opportunity:path}": For.EVERYBODY,
    "/console/money": For.MANAGERS,
    "/console/proposals": For.EVERYBODY,
    "/console/proposals/{partner}/{uuid}": For.EVERYBODY,
    "/console/orders": For.EVERYBODY,
    _ORDER: For.EVERYBODY,
    f"{_ORDER}/cancel": For.EVERYBODY,
    f"{_ORDER}/notify": For.EVERYBODY,
    f"{_ORDER}/access": For.EVERYBODY,
    f"{_ORDER}/replace/{{number:int}}": For.EVERYBODY,
    "/console/staff": For.MANAGERS,
    "/console/staff/add": For.MANAGERS,
    _PERSON: For.MANAGERS,
    f"{_PERSON}/link": For.MANAGERS,
    f"{_PERSON}/remove": For.MANAGERS,
    "/console/privacy": For.MANAGERS,
    "/console/privacy/export": For.MANAGERS,
    "/console/privacy/erase": For.MANAGERS,
    "/console/log": For.MANAGERS,
    "/console/imports": For.MANAGERS,
    "/console/details": For.MANAGERS,
    "/console/access-requests": For.ADMINISTRATORS,
    "/console/access-requests/{request}": For.ADMINISTRATORS,
    "/partners": For.MANAGERS,
    "/partners/{key}/terms": For.MANAGERS,
    "/partners/{key}/revoke": For.MANAGERS,
    "/partners/{key}/suspend": For.MANAGERS,
    "/partners/{key}/resume": For.MANAGERS,
}

# Routes without pages of a Seller: for programs, for files, and for a person's own account. The consent of a Seller is
# tested in `tests/web/accounts`.
OTHER_ROUTES = re.compile(
    r"/|/(api|calendar|feeds)/.+|/openactive(/style\.css|/logo\.svg|/terms)?|/healthz|/readyz|/metrics"
    r"|/openapi\.json|/docs(\.css)?|/(pages|theme)\.css|/favicon\.(svg|ico)"
    r"|/access-request|/sign-(in|out)|/sign-in/(code|recovery-code|second-factor)|/(set-)?password|/second-factor(/remove)?"
    r"|/oauth/(authorize|consent|token|revoke|register|jwks)|/registration|/\.well-known/[a-z-]+"
)

PROPOSAL, AT_DESK = new_uuid(), new_uuid()
NAME, EMAIL = "Confidential", "confidential@example.com"
# What the centre's pages show, and no page of another Seller may show.
MARKS = (UUID, PROPOSAL, NAME, EMAIL, "Dora", "cat", "Spin")
# Things of the centre, for the parameters of paths.
PARAMETERS = {
    "opportunity": YOGA[-1].path,
    "partner": "alice",
    "number": "1",
    "name": "cat",
    "key": "dora",
    "entry": "spin",
    "request": "r1",
}
# Things of the centre, for the fields of all forms.
FIELDS = {
    "contact": EMAIL,
    "number": "1",
    "name": "cat",
    "role": "manager",
    "item-1": "yes",
    "message": "Ill.",
    "decision": "accept",
    "attended-1": "yes",
    "uuid": UUID,
}
# What a page may be asked for in its query: a table as CSV, and a search.
QUERIES = ("", "?format=csv", "?format=csv&table=lines", f"?text={EMAIL}")
# The desk takes payments, so that staff see prices there.
PAGES_WITH_PRICES = "/console/desk"


class Page(NamedTuple):
    """A page of the application, with its path for the things of the centre."""

    route: str
    path: str
    methods: frozenset[str]

    @property
    def names_things(self) -> bool:
        """Whether the path names things of a Seller."""
        return self.path != self.route

    @property
    def is_for_managers(self) -> bool:
        """Whether only managers may see the page."""
        return ROUTES[self.route] is For.MANAGERS

    @property
    def exists_for_managers(self) -> bool:
        """Whether the page exists for users of a Seller who are no administrators."""
        return ROUTES[self.route] is not For.ADMINISTRATORS


def all_routes(world: World) -> list[Any]:
    transport: Any = world.client._transport
    routes: list[Any] = transport.app.router.routes
    return routes


def routes_of(world: World) -> list[Any]:
    return [route for route in all_routes(world) if route.path in ROUTES]


def unknown_routes(world: World) -> set[str]:
    """Return the paths of the routes that are neither in ROUTES nor in OTHER_ROUTES."""
    paths = {route.path for route in all_routes(world)}
    return {path for path in paths - ROUTES.keys() if not OTHER_ROUTES.fullmatch(path)}


def pages_of(world: World) -> list[Page]:
    """Return all pages for the users of Sellers."""

    def fill_in(route: str) -> str:
        uuid = PROPOSAL if "proposals" in route else AT_DESK if "desk" in route else UUID
        things = {**PARAMETERS, "uuid": uuid}
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: things[found[1]], route)

    return [Page(route.path, fill_in(route.path), frozenset(route.methods - {"HEAD"})) for route in routes_of(world)]


@pytest.fixture(autouse=True)
async def things(world: World) -> None:
    """The centre has an Order, a proposal and a partner; each has a name that only the centre may see."""
    await world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
    customer = {**CUSTOMER, "familyName": NAME, "email": EMAIL}
    order = world.order(world.item(YOGA), customer=customer)
    assert (await world.call("PUT", f"orders/{UUID}", order)).status_code == 201
    proposal = proposal_of(world, TRIP, customer=customer)
    assert (await world.call("PUT", f"order-proposals/{PROPOSAL}", proposal)).status_code == 201
    assert not (await world.store.execute(desk_booking(YOGA, AT_DESK))).has_errors
    await Club(world).save("spin", SPIN)
    dan = User(
        name="dan",
        seller=CENTRE.key,
        role=Role.MANAGER,
        others={STUDIO.key: Role.MANAGER},
        password_hash=password_hash(),
    )
    eve = User(name="eve", seller=STUDIO.key, role=Role.STAFF, password_hash=password_hash())
    assert await world.identity.save(partner("dora"), grant("dora", CENTRE.key), dan, eve)


async def state_of_centre(world: World) -> list[Any]:
    """Return everything of the centre that pages can change."""
    assert isinstance(world.store, StoreWithViews)
    views = world.store.views.of(CENTRE.key)
    return [
        await views.orders(OrderQuery()),
        await views.order(OrderKey("alice", PROPOSAL)),
        await views.activity(),
        [entry.rule for entry in (await Club(world).timetable()).values()],
        [seller for seller in await world.store.sellers() if seller.key == CENTRE.key],
        [user for user in await world.identity.find(User) if CENTRE.key in user.roles],
        [found for found in await world.identity.find(Grant) if found.seller == CENTRE.key],
    ]


async def ask(visitor: Visitor, method: str, path: str, **fields: str) -> httpx2.Response:
    """Send a request without following a redirection."""
    return await visitor._client.request(method, path, data=fields if method == "POST" else None)


async def token_of(visitor: Visitor) -> str:
    return (await visitor.open("/password")).form("/password").fields["form_token"]


def marks_in(answer: httpx2.Response) -> list[str]:
    return [mark for mark in MARKS if re.search(rf"\b{mark}\b", answer.text)]


async def test_every_route_is_known(world: World) -> None:
    """A new route must be added to ROUTES, with the people who may see it."""
    assert unknown_routes(world) == set()
    assert {route.path for route in routes_of(world)} == ROUTES.keys()
    assert not any(OTHER_ROUTES.fullmatch(route) for route in ROUTES)
    assert all(page.methods <= {"GET", "POST"} for page in pages_of(world))


async def test_every_route_of_the_openid_provider_and_the_test_interface_is_known(
    provider: World, testable: World
) -> None:
    assert unknown_routes(provider) == unknown_routes(testable) == set()


@pytest.mark.parametrize("path", ["/console/new", "/office/{key}", "/partners/{key}/new", "/passwords"])
async def test_a_new_route_is_noticed(world: World, path: str) -> None:
    all_routes(world).append(PageRoute(path, PlainTextResponse("new")))
    assert unknown_routes(world) == {path}


async def test_a_visitor_who_has_not_signed_in_is_sent_to_sign_in(world: World) -> None:
    before = await state_of_centre(world)
    for page in pages_of(world):
        for method in page.methods:
            answer = await ask(Visitor(world.client), method, page.path, **FIELDS)
            assert answer.status_code == HTTPStatus.SEE_OTHER, (method, page.path)
            assert answer.headers["location"].startswith("/sign-in"), (method, page.path)
    assert await state_of_centre(world) == before


async def test_a_manager_sees_every_page(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    shown = set[str]()
    for page in pages_of(world):
        if "GET" in page.methods:
            answer = await ask(ann, "GET", page.path)
            expected = HTTPStatus.OK if page.exists_for_managers else HTTPStatus.NOT_FOUND
            assert answer.status_code == expected, page.path
            shown |= set(marks_in(answer))
    assert shown == set(MARKS)


async def test_staff_see_no_page_for_managers(world: World, sign_in: SignIn) -> None:
    cat, before = await sign_in("cat"), await state_of_centre(world)
    token = await token_of(cat)
    for page in pages_of(world):
        for method in page.methods if page.is_for_managers else page.methods & {"GET"}:
            answer = await ask(cat, method, page.path, form_token=token, **FIELDS)
            expected = HTTPStatus.FORBIDDEN if page.is_for_managers else HTTPStatus.OK
            expected = expected if page.exists_for_managers else HTTPStatus.NOT_FOUND
            assert answer.status_code == expected, (method, page.path)
            assert "£" not in answer.text or page.path.startswith(PAGES_WITH_PRICES), page.path
    assert await state_of_centre(world) == before


@pytest.mark.parametrize("user", ["ben", "dan", "eve"])
async def test_another_seller_sees_and_changes_nothing(world: World, sign_in: SignIn, user: str) -> None:
    visitor = await sign_in(user)
    if user == "dan":
        page = await visitor.open("/console/sellers")
        await visitor.post("/console/sellers", {**page.forms[-1].fields, "seller": STUDIO.key})
    token, before = await token_of(visitor), await state_of_centre(world)
    for page_ in pages_of(world):
        for method, query in sorted((m, query) for m in page_.methods for query in QUERIES if m == "GET" or not query):
            answer = await ask(visitor, method, f"{page_.path}{query}", form_token=token, **FIELDS)
            if user == "eve" and (page_.is_for_managers or page_.names_things):
                assert answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND), (method, page_.path)
            elif page_.names_things:
                leads_to_list = page_.route.startswith("/partners") and not page_.route.endswith("/terms")
                expected = HTTPStatus.SEE_OTHER if leads_to_list else HTTPStatus.NOT_FOUND
                assert answer.status_code == expected, (method, page_.path)
            else:
                # A redirection follows a change of the user's own things.
                allowed = (HTTPStatus.OK, HTTPStatus.SEE_OTHER, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_FOUND)
                assert answer.status_code in allowed, (method, page_.path)
            typed = FIELDS.values() if method == "POST" else (EMAIL,) if EMAIL in query else ()
            assert [mark for mark in marks_in(answer) if mark not in typed] == [], (method, page_.path)
            assert await state_of_centre(world) == before, (method, page_.path)


async def test_a_seller_without_a_role_cannot_be_chosen(world: World, sign_in: SignIn) -> None:
    ben = await sign_in("ben")
    answer = await ask(ben, "POST", "/console/sellers", form_token=await token_of(ben), seller=CENTRE.key)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert marks_in(await ask(ben, "GET", "/console/orders")) == []


@pytest.mark.parametrize("sent", [{}, {"form_token": "another's"}], ids=["no token", "another token"])
async def test_every_form_is_guarded(world: World, sign_in: SignIn, sent: dict[str, str]) -> None:
    ann, before = await sign_in("ann"), await state_of_centre(world)
    for page in pages_of(world):
        if "POST" in page.methods:
            answer = await ask(ann, "POST", page.path, **{**FIELDS, **sent})
            expected = HTTPStatus.FORBIDDEN if page.exists_for_managers else HTTPStatus.NOT_FOUND
            assert answer.status_code == expected, page.path
    assert await state_of_centre(world) == before


async def test_a_form_of_another_chosen_seller_is_refused(world: World, sign_in: SignIn) -> None:
    """A form that was opened for the centre changes nothing after the user has chosen the studio."""
    dan = await sign_in("dan")
    token = await token_of(dan)
    page = await dan.open("/console/sellers")
    await dan.post("/console/sellers", {**page.forms[-1].fields, "seller": STUDIO.key})
    for found in pages_of(world):
        if "POST" in found.methods and not found.names_things:
            answer = await ask(dan, "POST", found.path, form_token=token, **FIELDS)
            assert answer.status_code == HTTPStatus.FORBIDDEN, found.path
