"""Finds the API and the feeds of a Booking System from its dataset site (Dataset API Discovery, OB 9.1)."""

import html
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from openbooking.broker.api.documents import Document, is_encrypted, is_safe_for_secrets, join, read_document, read_json
from openbooking.broker.errors import DiscoveryError
from openbooking.broker.flow import Flow
from openbooking.openactive.json_ld_scripts import json_ld_scripts
from openbooking.openactive.terms import OrderType

MOST_CATALOGS = 100

# A thing without a type that has these is a dataset all the same.
_FEEDS = {"distribution", "accessService"}
# Without HTML, which some start pages answer with a page for people instead of a redirect to the dataset site.
_ACCEPT = "application/ld+json, application/json;q=0.9, */*;q=0.8"
_JSON_LD = "application/ld+json"
_JSON_TYPES = (_JSON_LD, "application/json")


class OpenFeed(msgspec.Struct, frozen=True, kw_only=True):
    """An open feed of Opportunities.

    Attributes:
        type: The name of the type of its items, such as `ScheduledSession`.
        url: The URL of its first page.
        name: The name of the feed, for people.
    """

    type: str
    url: str
    name: str = ""


class BookingSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A Booking System, as its dataset site describes it.

    Attributes:
        site: The URL of the dataset site.
        name: The name of the dataset.
        publisher: The name of the publisher.
        contact: The e-mail address of the publisher; empty if not published.
        licence: The URL of the licence of the open data.
        api: The Base URI of the Open Booking API, without a slash at its end; empty if there is no API.
        feeds: The open feeds.
        orders_feed: The URL of the Orders feed; empty if there is no API.
        proposals_feed: The URL of the OrderProposals feed; empty if there is no API.
        authority: The URL of the OpenID provider; empty if access needs none.
        documentation: The URL of the documentation of the API.
        access_page: The URL of the page where Brokers ask for access.
        terms: The URL of the terms of the API.
    """

    site: str
    name: str
    publisher: str = ""
    contact: str = ""
    licence: str = ""
    api: str = ""
    feeds: tuple[OpenFeed, ...] = ()
    orders_feed: str = ""
    proposals_feed: str = ""
    authority: str = ""
    documentation: str = ""
    access_page: str = ""
    terms: str = ""

    def feeds_of(self, type_: str) -> tuple[str, ...]:
        """Return the URLs of the open feeds whose items have this type."""
        return tuple(feed.url for feed in self.feeds if feed.type == type_)


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """The dataset sites that a Data Catalog lists, with those of the catalogs within it.

    Attributes:
        sites: The URLs of the dataset sites.
        faults: The catalogs that cannot be read, in words.
    """

    sites: tuple[str, ...]
    faults: tuple[str, ...] = ()


def discover(site: str) -> Flow[BookingSystem]:
    """Return the Booking System whose dataset site has this URL (OB-DISC-01).

    Raises:
        DiscoveryError: The page cannot be read, or describes no dataset.
    """
    page = yield from read_document(site, _ACCEPT)
    for thing in _things(page):
        if _has_type(thing, "Dataset") or thing.keys() >= _FEEDS:
            return read_dataset(thing, page.url)
    raise DiscoveryError(f"{page.url} is no dataset site: it describes no Dataset in JSON-LD.")


def list_sites(catalog: str) -> Flow[Catalog]:
    """Return the dataset sites of a Data Catalog (OB-DISC-21). At most 100 catalogs are read.

    Raises:
        DiscoveryError: The catalog cannot be read. A catalog within it that cannot be read is reported as a fault.
    """
    sites, faults = dict[str, None](), list[str]()
    waiting, seen = [catalog], {catalog}
    for _ in range(MOST_CATALOGS):
        if not waiting:
            break
        url = waiting.pop(0)
        try:
            page = yield from read_document(url, _ACCEPT)
            thing = _catalog_in(page)
        except DiscoveryError as fault:
            if url == catalog:
                raise
            faults.append(str(fault))
            continue
        sites.update(dict.fromkeys(_links(thing.get("dataset"), page.url)))
        parts = [part for part in _links(thing.get("hasPart"), page.url) if part not in seen]
        waiting += parts
        seen.update(parts)
    if waiting:
        faults.append(f"{len(waiting)} catalogs were not read, because there are more than {MOST_CATALOGS}.")
    return Catalog(sites=tuple(sites), faults=tuple(faults))


def read_dataset(dataset: Mapping[str, Any], site: str) -> BookingSystem:
    """Return the Booking System that the JSON-LD of a dataset site describes.

    Args:
        dataset: The JSON-LD.
        site: The URL of the page, against which links are resolved.

    Raises:
        DiscoveryError: A link that is needed is no web address, or an encrypted site names an API that is not.
    """
    service, publisher = _object(dataset.get("accessService")), _object(dataset.get("publisher"))
    feeds = tuple(_feeds(dataset, site))
    api = join(site, _text(service, "endpointUrl")).rstrip("/") if _text(service, "endpointUrl") else ""
    authority = _text(service, "authenticationAuthority")
    orders_feed = _order_feed(feeds, OrderType.ORDER, api, "orders-rpde")
    proposals_feed = _order_feed(feeds, OrderType.PROPOSAL, api, "order-proposals-rpde")
    authority = join(site, authority).rstrip("/") if authority else ""
    _check_encrypted(site, api, orders_feed, proposals_feed, authority)
    return BookingSystem(
        site=site,
        name=_text(dataset, "name") or site,
        publisher=_text(publisher, "name"),
        contact=_text(publisher, "email"),
        licence=_text(dataset, "license"),
        api=api,
        feeds=tuple(feed for feed in feeds if feed.type not in tuple(OrderType)),
        orders_feed=orders_feed,
        proposals_feed=proposals_feed,
        authority=authority,
        documentation=_text(service, "documentation"),
        access_page=_text(service, "landingPage"),
        terms=_text(service, "termsOfService"),
    )


def _check_encrypted(site: str, *urls: str) -> None:
    """Raise DiscoveryError if an encrypted site names a URL that would receive or decide credentials unencrypted."""
    for url in urls:
        if url and is_encrypted(site) and not is_safe_for_secrets(url):
            raise DiscoveryError(f"{site} names {url}, which would receive credentials without encryption.")


def _order_feed(feeds: tuple[OpenFeed, ...], type_: OrderType, api: str, path: str) -> str:
    """Return the URL of an Orders feed: the advertised one, or the path of the specification (OB-DISC-03)."""
    advertised = (feed.url for feed in feeds if feed.type == type_)
    return next(advertised, f"{api}/{path}" if api else "")


def _feeds(dataset: Mapping[str, Any], site: str) -> Iterator[OpenFeed]:
    for download in _objects(dataset.get("distribution")):
        type_ = _text(download, "additionalType") or _text(download, "identifier") or _text(download, "name")
        url = _text(download, "contentUrl")
        if url:
            name = type_.rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
            yield OpenFeed(type=name, url=join(site, url), name=_text(download, "name"))


def _things(page: Document) -> Iterator[Mapping[str, Any]]:
    """Return the JSON-LD objects of a page, which is HTML or JSON."""
    faults = list[DiscoveryError]()
    found = False
    for text in [page.text] if page.media_type in _JSON_TYPES else json_ld_scripts(page.text):
        try:
            document = _read_script(text, page.url)
        except DiscoveryError as fault:
            faults.append(fault)
            continue
        for thing in _objects(document):
            found = True
            yield thing
            yield from _objects(thing.get("@graph"))
    if faults and not found:
        raise faults[0]


def _read_script(text: str, url: str) -> Any:
    """Return the JSON of a script. Some sites escape it as if it were text."""
    try:
        return read_json(text, url)
    except DiscoveryError:
        if "&quot;" not in text and "&#" not in text:
            raise
        return read_json(html.unescape(text), url)


def _catalog_in(page: Document) -> Mapping[str, Any]:
    for thing in _things(page):
        if _has_type(thing, "DataCatalog"):
            return thing
    raise DiscoveryError(f"{page.url} is no Data Catalog.")


def _links(value: Any, url: str) -> Iterator[str]:
    """Return the web addresses in a list of URLs or of objects with a URL."""
    for entry in value if isinstance(value, list) else [value]:
        link = (
            entry
            if isinstance(entry, str)
            else next((text for name in ("url", "@id", "id") if (text := _text(_object(entry), name))), "")
        )
        if link:
            try:
                yield join(url, link)
            except DiscoveryError:
                continue


def _has_type(thing: Mapping[str, Any], name: str) -> bool:
    type_ = thing.get("@type", thing.get("type"))
    types = type_ if isinstance(type_, list) else [type_]
    return any(isinstance(entry, str) and entry.rpartition("/")[2].rpartition(":")[2] == name for entry in types)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict))


def _object(value: Any) -> Mapping[str, Any]:
    return next(_objects(value), {})


def _text(thing: Mapping[str, Any], name: str) -> str:
    """Return a text, or the `@id` or `url` of an object; empty if there is none."""
    value = thing.get(name)
    if isinstance(value, list):
        value = next(iter(value), None)
    if isinstance(value, dict):
        value = next((value[key] for key in ("@id", "url", "value") if isinstance(value.get(key), str)), None)
    return value.strip() if isinstance(value, str) else ""
