"""The names of sources and of the items in them, by which later imports find what an import has published."""

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
    """A source of imported items.

    An RPDE item is identified by its `id` within its source. Its `kind` counts only if several items have the same
    `id`, which happens if several feeds are imported under one name (AMB-74).

    Attributes:
        name: The name of the source.
        former: The name that earlier versions gave it.
    """

    name: str
    former: str

    @property
    def is_one_feed(self) -> bool:
        """Whether the name is the URL of one feed. Several feeds may share a name that the operator gave."""
        return is_web_address(self.name)

    def may_mean(self, deleted: str, type_: OpportunityType | None) -> bool:
        """Return whether a deletion of this `kind` may mean an item of this type with the same `id` and another `kind`.

        If several feeds are imported under one name, a deletion of one type and an item of another type come from two
        feeds, unless types like these share a feed.
        """
        named = type_of_kind(deleted)
        return self.is_one_feed or named is None or type_ is None or named.feed == type_.feed

    def item(self, kind: str, id_: str) -> str:
        """Return the name of an RPDE item."""
        return self.items_with(id_) + derive_key(kind)

    def items_with(self, id_: str) -> str:
        """Return the prefix that the names of all items with this `id` share, whatever their kind."""
        return f"{self.name}#{derive_key(id_)}/"

    def former_item(self, kind: str, id_: str) -> str:
        """Return the name that earlier versions gave to an RPDE item; empty if other sources shared that name.

        Earlier versions removed all parameters from a URL, so that feeds with different parameters had one name.
        """
        return f"{self.name}#{derive_key(kind, id_)}" if self.name == self.former else ""


def source_of(path_or_url: str) -> Source:
    """Return the source of a feed or file: its URL without cursor and credentials, or its full path.

    Raises:
        ImportRefusedError: The source is standard input, which has no name, or the URL is not valid.
    """
    if path_or_url == "-":
        raise ImportRefusedError("Items from standard input need a name of their source: --source NAME.")
    if not is_web_address(path_or_url):
        path = str(Path(path_or_url).resolve())
        return Source(path, path)
    try:
        url = urlsplit(path_or_url)
        former_host = f"{url.hostname}:{url.port}" if url.port else str(url.hostname)
    except ValueError as fault:
        raise ImportRefusedError(f"{path_or_url} is no valid URL: {fault}.") from fault
    parameters = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if _identifies(pair[0])]
    host = former_host if url.port != _PORTS.get(url.scheme) else str(url.hostname)
    name = urlunsplit((url.scheme, host, url.path, urlencode(sorted(parameters)), ""))
    return Source(name, urlunsplit((url.scheme, former_host, url.path, "", "")))


def named_source(name: str) -> Source:
    """Return the source that the operator has named. A URL names the feed at that URL."""
    return source_of(name) if is_web_address(name) else Source(name, name)


def _identifies(parameter: str) -> bool:
    """Return whether a parameter of a URL identifies the source, and is no cursor or credential."""
    return parameter.lower() not in _CURSOR and not _CREDENTIAL.fullmatch(parameter)
