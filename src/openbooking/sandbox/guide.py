"""The text that `openbooking demo` prints: the addresses of the server, and a booking to paste into a shell.

Each line is a comment or a shell command, so that the whole text can be pasted and run.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.printable import clean_text
from openbooking.sandbox.guided_booking import Choice, b_body, c1_body, c2_body, cancellation_body


class Address(NamedTuple):
    """The name of a part of the demo, and its URL, key or path."""

    name: str
    value: str


def guide(addresses: list[Address], api: str, api_key: str, choice: Choice, total: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of the guide, a line or a multi-line command at a time.

    Args:
        addresses: The parts of the demo. The guide ends with the first three.
        api: The Base URI of the booking API.
        api_key: The API key of the Broker that books.
        choice: The session to book.
        total: The totalPaymentDue of the booking.
    """
    width = max(len(address.name) for address in addresses)
    yield "# Openbooking serves two made-up Sellers and four weeks of sessions and slots. Stop it with Ctrl+C."
    yield "#"
    for address in addresses:
        # A line break in the value would end the shell comment.
        yield f"#   {address.name:<{width}}  {clean_text(address.value)}"
    yield "#"
    yield "# A booking to paste into another shell: " + choice.name
    yield ""
    yield f"api={shlex.quote(api)}"
    yield f"key={shlex.quote(api_key)}"
    # Some systems have no /proc, and some have no uuidgen.
    yield (
        "uuid=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || "
        "python3 -c 'import uuid; print(uuid.uuid4())')"
    )  # fmt: skip
    yield (
        "call() { curl -sS -w '\\nHTTP %{http_code}\\n\\n' -H \"Authorization: Bearer $key\" "
        f"-H 'Content-Type: {BOOKING_MEDIA_TYPE}' \"$@\"; }}"
    )
    yield from _put("C1: the price, and whether spaces are left", "order-quote-templates", c1_body(choice))
    yield from _put("C2: the price for this Customer, and a Lease that holds a space", "order-quotes", c2_body(choice))
    yield from _put("B: book it", "orders", b_body(choice, total))
    yield ""
    yield "# The Customer cancels, and the Orders feed shows every Order that has changed since B."
    item = cancellation_body("$api/orders/$uuid#/orderedItem/1")
    # The body is in double quotes, so that the shell replaces $api and $uuid.
    yield f'call -X PATCH "$api/orders/$uuid" -d "{json.dumps(item).replace(chr(34), chr(92) + chr(34))}"'
    yield 'call "$api/orders-rpde"'
    yield ""
    # The first lines have left the screen.
    for address in addresses[:3]:
        yield f"# {address.name}: {clean_text(address.value)}"


def _put(comment: str, collection: str, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a comment and the shell command that sends a PUT request with this body."""
    yield ""
    yield f"# {comment}"
    members = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in body.items())
    yield f'call -X PUT "$api/{collection}/$uuid" -d ' + shlex.quote("{\n" + members + "\n}")
