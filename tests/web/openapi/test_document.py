"""The OpenAPI document is made from the routes, the types of messages and the error classes."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

import openbooking
from openbooking.openactive.errors import ERROR_CLASSES
from openbooking.settings import Settings
from support.http_system import SITE, World, open_world
from support.package_copy import change_code, copy_package

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
HEADERS = {"access": "headers", "trusted_partner_header": "X-Partner", "trusted_seller_header": "X-Seller"}


async def document_of(world: World) -> Json:
    reply = await world.client.get("/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    document: Json = reply.json()
    return document


def app_of(world: World) -> Starlette:
    """Return the application behind the client."""
    app = world.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, Starlette)
    return app


@pytest.fixture(params=["api-key", "openid", "headers"])
async def each_access(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    changes = HEADERS if request.param == "headers" else {"access": request.param}
    async with open_world("sqlite", tmp_path, test_interface=True, metrics_token="m", **changes) as opened:
        yield opened


async def test_document_is_valid_for_each_kind_of_access(each_access: World) -> None:
    validate(await document_of(each_access))


async def test_document_names_the_credentials_of_the_settings(each_access: World) -> None:
    document = await document_of(each_access)
    schemes = document["components"]["securitySchemes"]
    needed = document["paths"]["/api/orders-rpde"]["get"]["security"]
    expected: dict[str, list[Json]] = {
        "api-key": [{"apiKey": []}],
        "openid": [{name: ["openactive-ordersfeed"]} for name in ("openId", "accessToken")] + [{"apiKey": []}],
        "headers": [{"partnerHeader": []}, {"partnerHeader": [], "sellerHeader": []}],
    }
    assert needed == expected[each_access.settings.access]
    assert {name for each in needed for name in each} <= schemes.keys()
    if "partnerHeader" in schemes:
        assert (schemes["partnerHeader"]["in"], schemes["partnerHeader"]["name"]) == ("header", "X-Partner")
    assert document["paths"]["/feeds/slots"]["get"]["security"] == []


async def test_document_has_every_error_class_with_its_status(sqlite_world: World) -> None:
    schemas = (await document_of(sqlite_world))["components"]["schemas"]
    for name, error in ERROR_CLASSES.items():
        described = schemas[name]["properties"]
        assert described["@type"] == {"const": name}
        assert described["statusCode"] == {"const": error.status}


async def test_errors_of_an_operation_stand_under_their_statuses(sqlite_world: World) -> None:
    book = (await document_of(sqlite_world))["paths"]["/api/orders/{uuid}"]["put"]
    assert set(book["responses"]) == {"201", "400", "401", "403", "404", "406", "409", "413", "415", "500", "503"}
    content = book["responses"]["503"]["content"]["application/vnd.openactive.booking+json; version=1"]
    assert content["schema"] == {"$ref": "#/components/schemas/TemporarilyUnableToCreateOrderError"}
    assert "Retry-After" in book["responses"]["503"]["headers"]


async def test_document_has_only_the_endpoints_that_are_on(sqlite_world: World, tmp_path: Path) -> None:
    paths = (await document_of(sqlite_world))["paths"]
    assert not [path for path in paths if "/test-interface/" in path or path.startswith("/oauth") or path == "/metrics"]
    async with open_world("memory", tmp_path, access="openid", test_interface=True, metrics_token="m") as world:
        more = (await document_of(world))["paths"]
    assert {"/metrics", "/oauth/token", "/oauth/register", "/api/test-interface/actions"} <= more.keys()


async def test_document_has_a_rate_limit_only_if_there_is_one(sqlite_world: World, tmp_path: Path) -> None:
    document = await document_of(sqlite_world)
    assert "429" not in document["paths"]["/api/orders-rpde"]["get"]["responses"]
    async with open_world("memory", tmp_path, requests_per_minute=60) as world:
        limited = await document_of(world)
    assert "60 requests a minute" in limited["info"]["description"]
    assert "Retry-After" in limited["paths"]["/api/orders-rpde"]["get"]["responses"]["429"]["headers"]


@pytest.mark.parametrize("below", ["", "/booking"])
async def test_paths_of_the_document_are_below_the_address_of_the_site(tmp_path: Path, below: str) -> None:
    def mount(app: Any) -> Starlette:
        return Starlette(routes=[Mount(below, app)])

    changes: Json = {"mount": mount} if below else {}
    async with open_world("memory", tmp_path, site_url=SITE + below, **changes) as world:
        world.judged = False
        document = (await world.client.get(f"{SITE}{below}/openapi.json")).json()
        assert [server["url"] for server in document["servers"]] == [SITE + below]
        feed = await world.client.get(document["servers"][0]["url"] + "/feeds/slots")
    assert "/feeds/slots" in document["paths"]
    assert feed.status_code == 200


# The routes that are not in the document, by the beginning of their paths, with the reason.
EXCLUDED = {
    **dict.fromkeys(("/docs",), "shows the document itself"),
    **dict.fromkeys(("/.well-known/oauth-authorization-server",), "is another address of the OpenID configuration"),
    **dict.fromkeys(("/open-referral",), "has the OpenAPI document of HSDS, whose address it returns"),
    **dict.fromkeys(("/pages.css", "/theme.css", "/favicon", "/openactive/"), "belongs to pages"),
    **dict.fromkeys(
        ("/console", "/partners", "/sign-in", "/sign-out", "/password", "/set-password", "/second-factor"),
        "is a page for staff",
    ),
    **dict.fromkeys(
        ("/access-request", "/registration", "/oauth/authorize", "/oauth/consent"), "is a page for a person"
    ),
}


async def test_each_route_is_in_the_document_or_is_left_out_for_a_reason(tmp_path: Path) -> None:
    everything: Json = {"test_interface": True, "metrics_token": "m", "open_referral": True}
    async with open_world("memory", tmp_path, access="openid", **everything) as world:
        paths = (await document_of(world))["paths"]
        routes = [each for each in app_of(world).routes if isinstance(each, Route)]
    left_out = [each.path for each in routes if each.path_format not in paths]
    assert [path for path in left_out if path != "/" and not path.startswith(tuple(EXCLUDED))] == []
    assert [start for start in EXCLUDED if not any(path.startswith(start) for path in left_out)] == []
    for route in routes:
        described = {method.upper() for method in paths.get(route.path_format, ())}
        assert not described or (route.methods or set()) - {"HEAD", "OPTIONS"} == described


# Names of Python and of its documentation, and indented lines, which a docstring has.
OF_PYTHON = re.compile(
    r"\b(?:None(?! of)|True|False)\b|\b(?:Args|Attributes|Returns|Raises|Yields):|^ {4}", re.MULTILINE
)
CODE = re.compile(r"`([^`]+)`")
SNAKE_CASE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
PASCAL_CASE = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")


def described_in(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each description of a document."""
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from described_in(member, f"{place}/{number}")
    elif isinstance(value, dict):
        for name, member in value.items():
            if name == "description" and isinstance(member, str):
                yield place, member
            elif name != "examples":
                yield from described_in(member, f"{place}/{name}")


def names_of_python(package: Path) -> set[str]:
    """Return the names of all classes, functions, arguments, fields and attributes of a package."""
    found = set[str]()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.arg(arg=name) | ast.Attribute(attr=name):
                    found.add(name)
    return found


def names_of_json(document: Json) -> set[str]:
    """Return the names that a reader knows: properties, values, schemas, parameters and parts of paths."""
    text = json.dumps({**document, "info": None})
    known = set(re.findall(r'"([^"\\]+)":', text)) | set(re.findall(r'"(?:const|name)": "([^"]+)"', text))
    known.update(part for path in document["paths"] for part in path.split("/"))
    for listed in re.findall(r'"enum": \[([^]]*)\]', text):
        known.update(re.findall(r'"([^"]+)"', listed))
    return known


async def test_descriptions_have_no_names_of_python(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, access="openid", test_interface=True, metrics_token="m") as world:
        document = await document_of(world)
    known = names_of_json(document) | set(Settings.__struct_fields__) | set(ERROR_CLASSES) | {"Accept"}
    ours = names_of_python(Path(openbooking.__file__).parent) - known
    leaks = []
    for place, text in described_in(document):
        prose = CODE.sub("", text)
        names = {*CODE.findall(text), *SNAKE_CASE.findall(prose), *PASCAL_CASE.findall(prose)}
        leaks += [f"{place}: {name}" for name in sorted(names & ours)]
        leaks += [f"{place}: {found!r}" for found in OF_PYTHON.findall(text)]
    assert leaks == []


ORDER_OF_A_BOOKING = [
    "readDataset",
    "read-scheduled-sessions",
    "quoteAnonymously",
    "quote",
    "book",
    "propose",
    "readOrders",
    "cancel",
    "deleteOrder",
]


async def test_introduction_tells_the_order_of_a_booking(sqlite_world: World) -> None:
    document = await document_of(sqlite_world)
    linked = re.findall(rf"\({SITE}/docs#([^)]+)\)", document["info"]["description"])
    assert linked == ORDER_OF_A_BOOKING
    assert set(linked) <= {each["operationId"] for each in operations_of(document)}


def operations_of(document: Json) -> list[Json]:
    """Return all operations of a document."""
    return [each for methods in document["paths"].values() for each in methods.values()]


async def answer(request: Request) -> Response:
    """Answer a made-up request."""
    return Response()


async def test_a_route_without_a_declaration_is_in_the_document(sqlite_world: World) -> None:
    app = app_of(sqlite_world)
    await document_of(sqlite_world)
    app.add_route("/made-up/{name}", answer, methods=["POST"])
    document = await document_of(sqlite_world)
    operation = document["paths"]["/made-up/{name}"]["post"]
    assert operation["description"] == "Answer a made-up request."
    assert [each["name"] for each in operation["parameters"] if each["in"] == "path"] == ["name"]
    validate(document)


MADE_UP_ROUTE = '''
    @describe(
        Operation(
            id="readWeather",
            summary="The weather",
            replies=(Reply(HTTPStatus.OK, "It rains.", Body((Health,), JSON_MEDIA_TYPE)),),
            errors=(GoneError,),
        )
    )
    async def _weather(self, request: Request) -> Response:
        """Return the weather."""
        return JSONResponse({"status": "ok"})
'''


IMPORTED = "from openbooking.openactive.errors import GoneError\nfrom openbooking.system"


def test_a_made_up_field_and_route_appear_without_another_edit(tmp_path: Path) -> None:
    package = copy_package(tmp_path)
    quote = '"""The reply to C1 and C2."""\n'
    change_code(package / "openactive" / "messages" / "orders.py", quote, f"{quote}\n    weather: str | None = None")
    handlers = package / "web" / "api" / "monitoring.py"
    change_code(handlers, "return routes\n", 'return [*routes, api_route("/weather", self._weather)]\n')
    change_code(handlers, "\n    @describe(", f"{MADE_UP_ROUTE}\n    @describe(")
    change_code(handlers, "from openbooking.system", IMPORTED)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "openbooking", "openapi"]
    printed = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True).stdout
    document = json.loads(printed)
    operation = document["paths"]["/weather"]["get"]
    assert (operation["operationId"], operation["description"]) == ("readWeather", "Return the weather.")
    assert {"200", "410", "500", "503"} == operation["responses"].keys()
    assert "weather" in document["components"]["schemas"]["OrderQuote"]["properties"]
