"""Checks responses against the OpenAPI document: status, headers, media type and body."""

from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import msgspec
from msgspec.structs import replace
from starlette.routing import BaseRoute, Match, Route

from openbooking.settings import Settings
from openbooking.web.openapi.document import make_document
from openbooking.web.routes import ApiRoute

Json = dict[str, Any]


class Contract:
    """The document of a system, against which its responses are checked."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def faults(self, route: Route, answer: httpx2.Response) -> Iterator[str]:
        """Yield what differs between a response and the document."""
        method = answer.request.method.lower()
        operation = self.document["paths"].get(route.path_format, {}).get("get" if method == "head" else method)
        if operation is None:
            return
        response = operation["responses"].get(str(answer.status_code))
        if response is None:
            yield f"status {answer.status_code} is not in the document: {answer.text[:200]}"
            return
        for name, header in response.get("headers", {}).items():
            if header.get("required") and name.lower() not in answer.headers:
                yield f"status {answer.status_code} lacks {name}"
        if method != "head":
            yield from self._faults_of_body(response, answer)

    def _faults_of_body(self, response: Json, answer: httpx2.Response) -> Iterator[str]:
        content = response.get("content", {})
        if not answer.content:
            if content:
                yield f"status {answer.status_code} has no body"
            return
        found = answer.headers.get("content-type", "").partition(";")[0]
        known = {name.partition(";")[0]: described for name, described in content.items()}
        if found not in known:
            yield f"status {answer.status_code} has the media type {found}"
        elif "json" in found:
            yield from self.problems(known[found]["schema"], answer.json())

    def problems(self, schema: Json, value: Any) -> Iterator[str]:
        """Yield what a value lacks to fit a schema of the document."""
        key = msgspec.json.encode(schema).decode()
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        for fault in self._validators[key].iter_errors(value):
            yield f"{'/'.join(map(str, fault.instance_path))}: {fault.message}"[:400]


_contracts: dict[tuple[Settings, tuple[str, ...]], Contract] = {}


def contract_of(settings: Settings, routes: list[BaseRoute]) -> Contract:
    """Return the contract of a system. Systems that differ only in their databases have the same one."""
    paths = tuple(route.path for route in routes if isinstance(route, ApiRoute))
    key = replace(settings, database="x", replica=""), paths
    if key not in _contracts:
        _contracts[key] = Contract(make_document(routes, settings))
    return _contracts[key]


def route_of(answer: httpx2.Response, routes: list[BaseRoute], settings: Settings) -> Route | None:
    """Return the route that has answered a request."""
    path = answer.request.url.path.removeprefix(settings.site_path)
    scope = {"type": "http", "method": answer.request.method, "path": path, "headers": []}
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
            return route
    return None
