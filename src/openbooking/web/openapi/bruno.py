"""A collection of requests for Bruno, made from the OpenAPI document: one folder a subject, one request an operation.

A request is the first example of its operation. Ids of Sellers, Opportunities and Offers, prices and Order UUIDs are
variables, whose values are in an environment.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from openbooking.web.operation import FORM_MEDIA_TYPE, Credentials

Json = dict[str, Any]

# The properties of a request whose values are variables, and the names of the variables.
_VARIABLES = {"seller": "seller", "orderedItem": "opportunity", "acceptedOffer": "offer", "price": "total"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r'"\{\{(total|approvalTotal)\}\}"')
_SUCCESS = re.compile(r"2\d\d")
_ENVIRONMENT = "This system"
# Each run of the collection has Order UUIDs of its own.
_NEW_UUIDS = """\
const { v4 } = require("uuid");
for (const name of ["uuid", "proposalUuid"]) {
  if (!bru.getVar(name)) bru.setVar(name, v4());
}"""


def make_collection(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the files of the collection, by their paths.

    Args:
        document: The OpenAPI document.
    """
    return _Collection(document).files()


class _Collection:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._site = str(document["servers"][0]["url"])
        self._values: dict[str, str] = {"site": self._site}

    def files(self) -> dict[str, str]:
        """Return the files by their paths."""
        requests = dict(self._requests())
        about = {"version": "1", "name": self._document["info"]["title"], "type": "collection"}
        return {
            "bruno.json": json.dumps(about, indent=2) + "\n",
            "collection.bru": self._collection(),
            f"environments/{_ENVIRONMENT}.bru": _block("vars", self._values | self._secrets()),
            **requests,
        }

    def _requests(self) -> Iterator[tuple[str, str]]:
        numbers: dict[str, int] = {}
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                folder = operation["tags"][0]
                numbers[folder] = numbers.get(folder, 0) + 1
                name = operation["summary"].replace("/", "-").replace(":", "").replace("?", "")
                yield f"{folder}/{name}.bru", self._request(path, method, operation, numbers[folder])

    def _request(self, path: str, method: str, operation: Json, number: int) -> str:
        body = _first_example(operation.get("requestBody", {}))
        kind = "none" if body is None else "json"
        if FORM_MEDIA_TYPE in operation.get("requestBody", {}).get("content", {}):
            kind = "formUrlEncoded"
        credentials = {name for each in operation["security"] for name in each}
        partner = credentials and not credentials & {each.value for each in Credentials}
        parts = [
            _block("meta", {"name": operation["summary"], "type": "http", "seq": str(number)}),
            _block(method, {"url": _url(path, operation), "body": kind, "auth": "inherit" if partner else "none"}),
        ]
        if body is not None:
            media_type = next(iter(operation["requestBody"]["content"]))
            parts.append(_block("headers", {"Content-Type": media_type}))
            parts.append(_text_block("body:json", self._body(body, operation["operationId"])))
        if status := _expected_status(operation):
            parts.append(_block("assert", {"res.status": f"eq {status}"}))
        return "\n".join([*parts, _text_block("docs", operation["description"])])

    def _body(self, body: Any, operation: str) -> str:
        """Return a body in which variables replace the ids, the total and the UUID of the example."""
        replaced = self._replace(body, "approval" if operation == "propose" else "")
        text = json.dumps(replaced, indent=2, ensure_ascii=False)
        text = _NUMBER.sub(r"{{\1}}", text)
        return _UUID.sub("{{uuid}}", text.replace(f'"{self._site}', '"{{site}}'))

    def _replace(self, value: Any, prefix: str, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._replace(member, prefix, key) for key, member in value.items()}
        if isinstance(value, list):
            return [self._replace(member, prefix, name) for member in value]
        if name not in _VARIABLES:
            return value
        variable = _VARIABLES[name]
        if prefix and variable != "seller":
            variable = prefix + variable.capitalize()
        self._values[variable] = str(value)
        return f"{{{{{variable}}}}}"

    def _collection(self) -> str:
        schemes = self._document["components"]["securitySchemes"]
        headers = {each["name"]: f"{{{{{name}}}}}" for name, each in schemes.items() if each.get("in") == "header"}
        auth = "none" if headers else "bearer"
        blocks = [_block("auth", {"mode": auth})]
        blocks.append(_block("headers", headers) if headers else _block("auth:bearer", {"token": "{{token}}"}))
        return "\n".join([*blocks, _text_block("script:pre-request", _NEW_UUIDS)])

    def _secrets(self) -> dict[str, str]:
        schemes = self._document["components"]["securitySchemes"]
        headers = {name: "" for name, each in schemes.items() if each.get("in") == "header"}
        return headers or {"token": ""}


def _url(path: str, operation: Json) -> str:
    uuid = "proposalUuid" if "/order-proposals/" in path else "uuid"
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            value = f"{{{{{uuid}}}}}" if parameter["name"] == "uuid" else parameter.get("example", parameter["name"])
            path = path.replace(f"{{{parameter['name']}}}", value)
    return "{{site}}" + path


def _first_example(described: Json) -> Any:
    for content in described.get("content", {}).values():
        for example in content.get("examples", {}).values():
            return example["value"]
    return None


def _expected_status(operation: Json) -> str:
    """Return the status that reports success; empty if the document has none."""
    return next((status for status in operation["responses"] if _SUCCESS.fullmatch(status)), "")


def _block(name: str, values: Mapping[str, str]) -> str:
    return f"{name} {{\n" + "".join(f"  {key}: {value}\n" for key, value in values.items()) + "}\n"


def _text_block(name: str, text: str) -> str:
    return f"{name} {{\n" + "".join(f"  {line}\n" if line else "\n" for line in text.split("\n")) + "}\n"
