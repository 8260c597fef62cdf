"""Write the generated parts of the reference pages from the code: `python tests/reference.py`.

A generated part stands between the comments `<!-- generated: NAME -->` and `<!-- end -->` of a page in
`docs/reference/`. The text around it is written by hand.
"""

import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import openbooking
import openbooking.broker
import openbooking.testing
from support.reference.commands import command_helps
from support.reference.errors import item_errors, request_errors, unused_errors
from support.reference.events import events_table
from support.reference.feeds import feeds_table
from support.reference.messages import message_examples
from support.reference.metrics import metrics_table
from support.reference.public_api import describe_package
from support.reference.settings import settings_table

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
GENERATED: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "commands": command_helps,
    "errors of requests": request_errors,
    "errors of OrderItems": item_errors,
    "unused error classes": unused_errors,
    "events": events_table,
    "metrics": metrics_table,
    "feeds": feeds_table,
    "messages": message_examples,
    "openbooking": partial(describe_package, openbooking),
    "openbooking.broker": partial(describe_package, openbooking.broker),
    "openbooking.testing": partial(describe_package, openbooking.testing),
}
_PART = re.compile(r"(<!-- generated: ([\w. ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def generated_parts(page: str) -> dict[str, str]:
    """Return the generated parts of the text of a page by their names."""
    return {name: begin + end for begin, name, end in _PART.findall(page)}


def update(page: str) -> str:
    """Return the text of a page with its generated parts made again."""
    return _PART.sub(lambda part: f"{part[1]}\n{GENERATED[part[2]]().strip()}\n\n{part[3]}", page)


def main() -> None:
    """Update all reference pages."""
    for file in sorted(REFERENCE.glob("*.md")):
        page = file.read_text(encoding="utf-8")
        updated = update(page)
        if updated != page:
            file.write_text(updated, encoding="utf-8")
            sys.stdout.write(f"Updated {file.name}.\n")


if __name__ == "__main__":
    main()
