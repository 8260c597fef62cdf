"""The OpenAPI document: what the routes of the system declare, under its settings."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from msgspec.structs import replace
from starlette.routing import BaseRoute, Route

from openbooking import __version__
from openbooking.identity.oauth.errors import OAuthError
from openbooking.openactive.errors import (
    ERROR_CLASSES,
    InternalApplicationError,
    OpenBookingError,
    TooManyRequestsError,
    UnknownOrIncorrectEndpointError,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.settings import Settings
from openbooking.web.observe import REQUEST_ID
from openbooking.web.openapi.examples import RECORDED_API_PATH, Example, examples_of
from openbooking.web.openapi.schemas import Schemas, meaning
from openbooking.web.openapi.security import requirements, scheme_of, security_of
from openbooking.web.operation import JSON_MEDIA_TYPE, AnyError, Body, Header, Operation, Reply, Subject
from openbooking.web.request import OrderUuidConvertor
from openbooking.web.routes import ApiRoute

Json = dict[str, Any]

# The path of the page that shows the document.
PAGE_PATH = "/docs"

_ID = Header(REQUEST_ID, "The id of the request: 1 to 128 letters, digits and `._~+/=:@-`. The log has it too.")
_REPLIED_ID = Header(REQUEST_ID, _ID.description, required=True)
_RETRY_AFTER = Header("Retry-After", "The seconds after which the same request can be sent again.")
_CHALLENGE = Header("WWW-Authenticate", "The scheme of the credentials.", required=True)
# The headers that a reply has besides those that its operation declares.
_HEADERS_OF_STATUS = {
    HTTPStatus.UNAUTHORIZED: (_CHALLENGE,),
    HTTPStatus.TOO_MANY_REQUESTS: (_RETRY_AFTER,),
    HTTPStatus.SERVICE_UNAVAILABLE: (_RETRY_AFTER,),
}
_INFO = """\
The operations of this Booking System: the open feeds, the [Open Booking API
1.0](https://openactive.io/open-booking-api/EditorsDraft/), and what belongs to them.

A booking has this order:

1. The [dataset site]({docs}#readDataset) names the open feeds, such as that of
   [sessions]({docs}#read-scheduled-sessions), which list the Opportunities and their Offers.
2. [C1]({docs}#quoteAnonymously) returns the price and the spaces left of the Offers that a Customer has chosen.
3. [C2]({docs}#quote) does the same for a named Customer, and can hold the spaces.
4. [B]({docs}#book) books them; if the quote has `orderRequiresApproval`, [P]({docs}#propose) first asks the Seller.
5. The [Orders feed]({docs}#readOrders) then reports each change by the Seller.
6. A [cancellation]({docs}#cancel) gives spaces back, and a [deletion]({docs}#deleteOrder) undoes a B whose reply was
   lost.

All bodies and replies follow the same rules:

- Bodies have the media type `{media_type}`. Requests may also say `application/json`.
- The schemas of requests describe what a Broker should send. Unknown properties are ignored, except in PATCHes. An
  optional property of the wrong type counts as absent.
- Open objects, such as a Customer, an Offer or an Opportunity, may have further properties, and keep them.
- Each reply has the header `{request_id}`, and each error its value as `requestId`.
- At an unknown path the error is `UnknownOrIncorrectEndpointError` (404); for a method that a path does not have,
  `MethodNotAllowedError` (405). A browser, which asks for HTML, gets errors outside of the API as pages.
- {limit}
"""


class Described(NamedTuple):
    """An operation with its place in the document."""

    path: str
    method: str
    operation: Operation
    route: Route


class _Builder:
    """Makes the document of one system."""

    def __init__(self, operations: Sequence[Described], settings: Settings) -> None:
        self._operations = operations
        self._settings = settings
        self._security = security_of(settings)
        self._schemas = Schemas(type_ for each in operations for type_ in _types(each.operation))
        self._examples = examples_of(settings)

    def document(self) -> Json:
        """Return the document."""
        paths: dict[str, Json] = {}
        for each in self._operations:
            paths.setdefault(each.path, {})[each.method.lower()] = self._operation(each.operation, each.route)
        for error in ERROR_CLASSES.values():
            self._schemas.error(error)
        used = {each.operation.subject for each in self._operations}
        return {
            "openapi": "3.1.0",
            "info": {
                "title": f"{self._settings.name}: Open Booking API",
                "version": __version__,
                "description": self._description(),
            },
            "servers": [{"url": self._settings.site}],
            "tags": [{"name": each.title, "description": each.description} for each in Subject if each in used],
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._schemas.components.items())),
                "securitySchemes": self._schemes(),
            },
        }

    def _description(self) -> str:
        most = self._settings.requests_per_minute
        limit = (
            f"A Booking Partner may send {most} requests a minute to each process. Above that the error is "
            f"`{TooManyRequestsError.__name__}` (429)."
            if most
            else "The number of requests is not limited."
        )
        return _INFO.format(
            docs=self._settings.site + PAGE_PATH, media_type=BOOKING_MEDIA_TYPE, request_id=REQUEST_ID, limit=limit
        )

    def _schemes(self) -> dict[str, Json]:
        others = {each.operation.credentials for each in self._operations if each.operation.credentials}
        return {**self._security.schemes, **{each.value: scheme_of(each) for each in sorted(others, key=str)}}

    def _operation(self, operation: Operation, route: Route) -> Json:
        examples = self._examples.get(operation.id, ())
        described: Json = {
            "operationId": operation.id,
            "summary": operation.summary,
            "description": operation.description,
            "tags": [operation.subject.title],
            "security": requirements(operation, self._security),
            "parameters": [
                *self._path_parameters(operation, route, examples),
                *self._other_parameters(operation, route),
            ],
        }
        if operation.body:
            shown = {each.name: _shown(each, each.request) for each in examples if each.request is not None}
            described["requestBody"] = {"required": True, "content": self._content([operation.body], (), shown)}
        return {**described, "responses": self._responses(operation, route, examples)}

    def _path_parameters(self, operation: Operation, route: Route, examples: Sequence[Example]) -> Iterator[Json]:
        known = {parameter.name: parameter.description for parameter in operation.parameters}
        values = self._values_in_path(route, examples[0]) if examples else {}
        for name, convertor in route.param_convertors.items():
            format_ = {"format": "uuid"} if isinstance(convertor, OrderUuidConvertor) else {}
            described = {"description": known[name]} if name in known else {}
            example = {"example": values[name]} if name in values else {}
            schema = {"type": "string", **format_}
            yield {"name": name, "in": "path", "required": True, "schema": schema, **described, **example}

    def _values_in_path(self, route: Route, example: Example) -> dict[str, str]:
        """Return the values of the parameters in the path of an example."""
        path = example.path.partition("?")[0]
        if path.startswith(RECORDED_API_PATH):
            base = self._settings.base_uri.removeprefix(self._settings.site)
            path = base + path.removeprefix(RECORDED_API_PATH)
        found = route.path_regex.match(path)
        return found.groupdict() if found else {}

    def _other_parameters(self, operation: Operation, route: Route) -> Iterator[Json]:
        for parameter in operation.parameters:
            if parameter.name not in route.param_convertors:
                schema = self._schemas.reference(parameter.type)
                yield {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}
        for header in (*operation.headers, _ID):
            yield {"name": header.name, "in": "header", **_header(header)}

    def _responses(self, operation: Operation, route: Route, examples: Sequence[Example]) -> dict[str, Json]:
        errors = list(self._errors(operation, route))
        statuses = sorted({*(int(reply.status) for reply in operation.replies), *(error.status for error in errors)})
        responses: dict[str, Json] = {}
        for status in statuses:
            names = {_name(error) for error in errors if error.status == status}
            replied = [each for each in examples if each.status == status and _is_shown(each, names)]
            responses[str(status)] = self._response(
                HTTPStatus(status),
                [reply for reply in operation.replies if reply.status == status],
                [error for error in errors if error.status == status],
                {each.name: _shown(each, each.reply) for each in replied},
            )
        return responses

    def _errors(self, operation: Operation, route: Route) -> Iterator[AnyError]:
        """Yield the classes of errors that an operation can return, each once."""
        errors: list[AnyError] = [*operation.errors]
        if operation.scope:
            errors += self._security.errors
        if any(isinstance(convertor, OrderUuidConvertor) for convertor in route.param_convertors.values()):
            errors.append(UnknownOrIncorrectEndpointError)
        if operation.unavailable:
            errors.append(operation.unavailable)
        yield from dict.fromkeys([*errors, InternalApplicationError])

    def _response(
        self, status: HTTPStatus, replies: Sequence[Reply], errors: Sequence[AnyError], examples: Mapping[str, Json]
    ) -> Json:
        described = [reply.description for reply in replies] + [_line(error) for error in errors]
        declared = [header for reply in replies for header in reply.headers]
        if errors:
            # An error with the same status does not have the headers of the reply.
            declared = [header._replace(required=False) for header in declared]
        headers = (_REPLIED_ID, *declared, *_HEADERS_OF_STATUS.get(status, ()))
        response: Json = {
            "description": "\n".join(described),
            "headers": {header.name: _header(header) for header in headers},
        }
        bodies = [reply.body for reply in replies if reply.body]
        if content := self._content(bodies, errors, examples):
            response["content"] = content
        return response

    def _content(self, bodies: Iterable[Body], errors: Iterable[AnyError], examples: Mapping[str, Json]) -> Json:
        """Return the `content` of a body, whose schemas are grouped by media type."""
        schemas: dict[str, list[Json]] = {}
        for body in bodies:
            schemas.setdefault(body.media_type, []).extend(self._body_schemas(body))
        for error in errors:
            media_type = JSON_MEDIA_TYPE if issubclass(error, OAuthError) else BOOKING_MEDIA_TYPE
            schemas.setdefault(media_type, []).append(self._schemas.error(error))
        content: Json = {name: {"schema": _any_of(found)} for name, found in schemas.items()}
        if examples and content:
            next(iter(content.values()))["examples"] = dict(examples)
        return content

    def _body_schemas(self, body: Body) -> list[Json]:
        if not body.types:
            return [{"type": "string"}]
        found = [self._schemas.reference(type_) for type_ in body.types]
        if body.order_type is None:
            return found
        return [{"allOf": [each], "properties": {"@type": {"const": str(body.order_type)}}} for each in found]


def make_document(routes: Iterable[BaseRoute], settings: Settings) -> Json:
    """Return the OpenAPI document of these routes.

    Args:
        routes: The routes of the application. Pages and their pictures are left out (`include_in_schema`).
        settings: The settings, on which credentials, limits and addresses depend.
    """
    return _Builder(list(_described(routes)), settings).document()


def _described(routes: Iterable[BaseRoute]) -> Iterator[Described]:
    """Yield each operation of the routes."""
    for route in routes:
        if not isinstance(route, Route) or not route.include_in_schema:
            continue
        operations = route.operations if isinstance(route, ApiRoute) else _undeclared(route)
        for method, operation in operations.items():
            yield Described(route.path_format, method, operation, route)


def _undeclared(route: Route) -> dict[str, Operation]:
    """Return the operations of a route without a declaration, such as one that an embedder has added."""
    description = inspect.getdoc(route.endpoint) or ""
    reply = Reply(HTTPStatus.OK, "The reply of a route without a description.")
    declared = Operation(id=route.name, summary=route.name, description=description, replies=(reply,))
    methods = sorted((route.methods or set()) - {"HEAD"})
    return {method: replace(declared, id=f"{route.name}-{method.lower()}") for method in methods}


def _types(operation: Operation) -> Iterator[Any]:
    """Yield all types that an operation names."""
    for body in (operation.body, *(reply.body for reply in operation.replies)):
        yield from body.types if body else ()
    yield from (parameter.type for parameter in operation.parameters)


def _any_of(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _header(header: Header) -> Json:
    return {"description": header.description, "required": header.required, "schema": {"type": "string"}}


def _line(error: AnyError) -> str:
    """Return the line about an error class in the description of a response."""
    text = error.name if issubclass(error, OpenBookingError) else meaning(error)
    return f"- `{_name(error)}`: {text}"


def _name(error: AnyError) -> str:
    """Return the name of an error class in replies."""
    return error.code if issubclass(error, OAuthError) else error.reported_name()


def _is_shown(example: Example, errors: set[str]) -> bool:
    """Return whether the system gives the reply of an example. Other credentials have other errors."""
    type_ = example.reply.get("@type", "") if isinstance(example.reply, dict) else ""
    return example.reply is not None and (not type_.endswith("Error") or type_ in errors)


def _shown(example: Example, value: Any) -> Json:
    return {"summary": example.summary, "value": value}
