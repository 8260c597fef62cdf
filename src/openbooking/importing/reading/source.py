"""The names by which what is imported is known again: of a source as a whole, and of each RPDE item in it."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.reading.kinds import type_of_kind
from openbooking.importing.reading.values import derive_key
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.web_addresses import is_web_address

_CURSOR = frozenset({"aftertimestamp", "afterid", "afterchangenumber", "limit"})
_CREDENTIAL = re.compile(
    r"(.*[-_.])?((access|account|api|app|auth|bearer|client|id|private|refresh|secret|security|session|shared|"
    r"subscription|user)?[-_]?(key|secret|token)|auth(orization)?|credentials?|pass(word|wd|phrase)?|pwd|"
    r"sig(nature)?|session[-_]?id|jwt|bearer|username)",
    re.IGNORECASE | re.ASCII,
)


_PORTS = {"http": 80, "https": 443}


class Source(NamedTuple):
    """The `name` of all that is imported from one place, and the `former` name that earlier versions gave it.

    An RPDE item is known by its `id` within its source; its `kind` tells it apart from others only where several
    items have the same `id`, as those of several feeds that are imported under one name (AMB-74).
    """

    name: str
    former: str

    @property
    def is_one_feed(self) -> bool:
        """Whether it is the URL of one feed; several feeds may be imported under a name that the operator gave."""
        return is_web_address(self.name)

    def may_mean(self, deleted: str, type_: OpportunityType | None) -> bool:
        """Whether a deletion of this kind may mean an item of this type that has the same `id` and another kind.

        Where several feeds are imported under one name, a deletion of one type and an item of another are of two feeds,
        unless both are kinds of event, which often share a feed.
        """
        named = type_of_kind(deleted)
        return self.is_one_feed or named is None or type_ is None or named.feed == type_.feed

    def item(self, kind: str, id_: str) -> str:
        """The name of an RPDE item, whatever it holds."""
        return self.items_with(id_) + derive_key(kind)

    def items_with(self, id_: str) -> str:
        """The prefix that the names of all items with this `id` share, whatever their kind."""
        return f"{self.name}#{derive_key(id_)}/"

    def former_item(self, kind: str, id_: str) -> str:
        """The name that earlier versions gave to an RPDE item; empty if other sources shared it.

        Earlier versions left all parameters out of a URL, so feeds that differ in their parameters had one name.
        """
        return f"{self.name}#{derive_key(kind, id_)}" if self.name == self.former else ""


def source_of(place: str) -> Source:
    """The source that a place is: its URL without cursor and credentials, or its full path.

    Raises ImportRefusedError for standard input, which has no name, and for what is no URL.
    """
    if place == "-":
        raise ImportRefusedError("What comes from standard input needs a name to be known by: --source NAME.")
    if not is_web_address(place):
        path = str(Path(place).resolve())
        return Source(path, path)
    try:
        url = urlsplit(place)
        former_host = f"{url.hostname}:{url.port}" if url.port else str(url.hostname)
    except ValueError as fault:
        raise ImportRefusedError(f"{place} is no valid URL: {fault}.") from fault
    parameters = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if _identifies(pair[0])]
    host = former_host if url.port != _PORTS.get(url.scheme) else str(url.hostname)
    name = urlunsplit((url.scheme, host, url.path, urlencode(sorted(parameters)), ""))
    return Source(name, urlunsplit((url.scheme, former_host, url.path, "", "")))


def named_source(name: str) -> Source:
    """The source that the operator has named; a URL names the feed that is imported from it."""
    return source_of(name) if is_web_address(name) else Source(name, name)


def _identifies(parameter: str) -> bool:
    """Whether a parameter of a URL tells one source from another, rather than where to begin, or who asks."""
    return parameter.lower() not in _CURSOR and not _CREDENTIAL.fullmatch(parameter)
