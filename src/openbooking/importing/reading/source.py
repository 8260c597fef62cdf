"""The names of sources and of their items.

A published Opportunity keeps the name of its item. By this name, a later import finds the Opportunities that it has to
update or withdraw.
"""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from openbooking.booking.model.timetable import SOURCE_PREFIX
from openbooking.importing.errors import ImportRefusedError
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.kinds import type_of_kind
from openbooking.openactive.published.values import derive_key
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

    The `id` of an RPDE item identifies the item within its source. The `kind` is needed only if several items have the
    same `id`, which happens if several feeds are imported under one name (AMB-74).

    Attributes:
        name: The name of the source.
        former: The name that earlier versions of this system gave to the source.
    """

    name: str
    former: str

    @property
    def is_one_feed(self) -> bool:
        """Whether the name is the URL of one feed. Several feeds may share a name that the operator gave."""
        return is_web_address(self.name)

    def may_mean(self, deleted: str, type_: OpportunityType | None) -> bool:
        """Return whether a deletion may mean an item with the same `id` and another `kind`.

        If several feeds are imported under one name, the deletion and the item may come from two feeds. The deletion
        can mean the item only if their types belong in one feed.

        Args:
            deleted: The `kind` of the deletion.
            type_: The type of the item; None if it is unknown.
        """
        named = type_of_kind(deleted)
        return self.is_one_feed or named is None or type_ is None or named.feed == type_.feed

    def item(self, kind: str, id_: str) -> str:
        """Return the name of an RPDE item."""
        return self.items_with(id_) + derive_key(kind)

    def items_with(self, id_: str) -> str:
        """Return the prefix that the names of all items with this `id` share."""
        return f"{self.name}#{derive_key(id_)}/"

    def former_item(self, kind: str, id_: str) -> str:
        """Return the name that earlier versions of this system gave to an RPDE item; empty if it is ambiguous.

        Earlier versions removed the query from the URL of a feed. If this feed has a query, other feeds may have had
        the same name.
        """
        return f"{self.name}#{derive_key(kind, id_)}" if self.name == self.former else ""


def source_of(path_or_url: str) -> Source:
    """Return the source of a feed or file. Its name is the URL without cursor and credentials, or the full path.

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


def without_credentials(url: str) -> str:
    """Return a URL without the parameters that may be credentials. The host has no user name and password here."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    shown = [pair for pair in pairs if not _CREDENTIAL.fullmatch(pair[0])]
    return url if shown == pairs else urlunsplit(parts._replace(query=urlencode(shown)))


def named_source(name: str) -> Source:
    """Return the source with the name that the operator gave. A URL names the feed at that URL.

    Raises:
        ImportRefusedError: The name is that of a timetable of this system, whose Opportunities no import may change.
    """
    if name.lower().startswith(SOURCE_PREFIX):
        raise ImportRefusedError(
            f"A source cannot be named {name}: {SOURCE_PREFIX} is for timetables. Use another name."
        )
    return source_of(name) if is_web_address(name) else Source(name, name)


def _identifies(parameter: str) -> bool:
    """Return whether a parameter of a URL identifies the source: it is neither a cursor nor a credential."""
    return parameter.lower() not in _CURSOR and not _CREDENTIAL.fullmatch(parameter)
