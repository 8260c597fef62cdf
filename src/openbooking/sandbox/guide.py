"""What the demo prints: where everything is, and a booking to paste into a shell.

Every line is either a comment or a command, so that all of it can be pasted, and run, as it is.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.printable import clean_text
from openbooking.sandbox.guided_booking import Choice, b_body, c1_body, c2_body, cancellation_body


class Place(NamedTuple):
    """Something worth a visit, and where it is."""

    name: str
    where: str


def guide(places: list[Place], api: str, api_key: str, choice: Choice, total: Mapping[str, Any]) -> Iterator[str]:
    """The lines to print, for a booking of this choice, for which this total is due."""
    width = max(len(place.name) for place in places)
    yield "# Openbooking is running with two made-up Sellers and four weeks to book. Stop it with Ctrl+C."
    yield "#"
    for place in places:
        # Nothing in it may end the comment.
        yield f"#   {place.name:<{width}}  {clean_text(place.where)}"
    yield "#"
    yield "# A booking to paste into another shell: " + choice.name
    yield ""
    yield f"api={shlex.quote(api)}"
    yield f"key={shlex.quote(api_key)}"
    # Not every system has /proc, and not every one has uuidgen.
    yield (
        "uuid=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || "
        "python3 -c 'import uuid; print(uuid.uuid4())')"
    )  # fmt: skip
    yield (
        "call() { curl -sS -w '\\nHTTP %{http_code}\\n\\n' -H \"Authorization: Bearer $key\" "
        f"-H 'Content-Type: {BOOKING_MEDIA_TYPE}' \"$@\"; }}"
    )
    yield from _put("C1: what does it cost, and is there room", "order-quote-templates", c1_body(choice))
    yield from _put(
        "C2: the same with the Customer, and the place is held for a while", "order-quotes", c2_body(choice)
    )
    yield from _put("B: book it", "orders", b_body(choice, total))
    yield ""
    yield "# The Customer cancels, and the Orders feed tells every Order that has changed since B."
    item = cancellation_body("$api/orders/$uuid#/orderedItem/1")
    # Double quotes, for $api and $uuid are the shell's to fill in.
    yield f'call -X PATCH "$api/orders/$uuid" -d "{json.dumps(item).replace(chr(34), chr(92) + chr(34))}"'
    yield 'call "$api/orders-rpde"'


def _put(comment: str, collection: str, body: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"# {comment}"
    members = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in body.items())
    yield f'call -X PUT "$api/{collection}/$uuid" -d ' + shlex.quote("{\n" + members + "\n}")
