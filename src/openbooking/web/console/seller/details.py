"""The page of the Seller's own details and terms, as feeds and Orders publish them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.booking.commands.opportunities.add_seller import TERMS
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.republish import republish
from openbooking.booking.model.colours import is_colour
from openbooking.booking.model.errors import SellerChangedError
from openbooking.booking.model.opportunity import Seller
from openbooking.openactive.contact_details import is_country, is_email, is_vat_number
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.web_addresses import is_web_address
from openbooking.web.branding import logo_address
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.pages import Form, Problem

DETAILS_PATH = f"{CONSOLE_PATH}/details"

_LONGEST = 200
# The types of terms of service; a privacy policy is none.
_TERMS = frozenset({TERMS["@type"], "TermsOfUse"})


class Field(NamedTuple):
    """A field of the form.

    Attributes:
        name: The name of the field.
        text: The label.
        missing: The message if the field is empty; empty if the field may be empty.
        is_valid: Returns whether a value is valid.
        wrong: The message for a value that is not valid.
        hint: What else people should know.
    """

    name: str
    text: str
    missing: str = ""
    is_valid: Callable[[str], bool] = bool
    wrong: str = ""
    hint: str = ""


_NO_ADDRESS = "Enter a web address that begins with https://."
FIELDS = (
    Field("name", "Name", "Enter the name.", hint="The name that customers know."),
    Field("legal_name", "Legal name", "Enter the legal name.", hint="The name on receipts."),
    Field("email", "E-mail address for customers", "Enter the e-mail address.", is_email, "Enter a whole address."),
    Field("telephone", "Telephone number for customers"),
    Field("url", "Web site", "Enter the web address.", is_web_address, _NO_ADDRESS),
    Field("street", "Street and number", "Enter street and number."),
    Field("locality", "Town", "Enter the town."),
    Field("region", "County", "Enter the county."),
    Field("postcode", "Postcode", "Enter the postcode."),
    Field("country", "Country", "Enter the country.", is_country, "Enter a country such as GB.", hint="Such as GB."),
    Field("vat_id", "VAT number", "", is_vat_number, "Enter the number, such as GB123456789."),
    Field("terms", "Terms of service", "", is_web_address, _NO_ADDRESS, hint="The web address of your terms."),
    Field(
        "logo",
        "Logo",
        "",
        is_web_address,
        _NO_ADDRESS,
        hint="The web address of a picture, which begins with https://.",
    ),
    Field(
        "colour",
        "Colour of these pages",
        "",
        is_colour,
        "Enter a colour such as #0b5d4e.",
        hint="Such as #0b5d4e. It is not published.",
    ),
)
# The properties of a Seller, and of its address, in which the values of fields are published.
_PROPERTIES = {"email": "email", "telephone": "telephone", "url": "url", "vat_id": "vatID"}
_ADDRESS = {
    "street": "streetAddress",
    "locality": "addressLocality",
    "region": "addressRegion",
    "postcode": "postalCode",
    "country": "addressCountry",
}


class DetailsPages:
    """The page of the Seller's details."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [
            self._console.route("/details", self._details, ("GET", "POST"), menu="Your details", managers_only=True)
        ]

    async def _details(self, visit: ConsoleVisit) -> Response:
        if visit.request.method != "POST":
            return _page(visit, visit.seller)
        sent = await visit.form()
        form = {field.name: sent.get(field.name, "").strip() for field in FIELDS}
        if sent.get("seen") != _seen(visit.seller):
            return _page(visit, visit.seller, Problem(SellerChangedError.name))
        if problem := check_fields(form):
            return _page(visit, visit.seller, problem, form)
        publish = PublishSeller(with_fields(visit.seller, form), expected=visit.seller, actor=visit.actor)
        if problem := await visit.try_(publish):
            present = await self._console.system.identity.seller(visit.seller.key)
            return _page(visit, present or visit.seller, problem)
        return self._published(visit)

    def _published(self, visit: ConsoleVisit) -> Response:
        """Redirect, and then write the feed items that show the Seller, which may be many."""
        response = visit.redirect(DETAILS_PATH, Notice.DETAILS_CHANGED)
        types = [type_ for type_ in OpportunityType if type_.shows_seller]
        response.background = BackgroundTask(
            republish, self._console.system.store, visit.seller.key, visit.actor, types
        )
        return response


def _page(visit: ConsoleVisit, seller: Seller, problem: Problem | None = None, form: Form | None = None) -> Response:
    """Return the page that shows a version of the Seller, with what was typed if there is a form."""
    shown = defaultdict(str, form or read_fields(seller))
    return visit.page("seller/details.html", problem=problem, form=shown, fields=FIELDS, seen=_seen(seller))


def _seen(seller: Seller) -> str:
    """Return a text that changes with each change of the details that the form shows."""
    return sha256(msgspec.json.encode(read_fields(seller), order="sorted")).hexdigest()


def read_fields(seller: Seller) -> Form:
    """Return the details of a Seller as the fields of the form."""
    properties = seller.properties
    address = properties.get("address")
    address = address if isinstance(address, Mapping) else {}
    return {
        "name": seller.name,
        "legal_name": seller.legal_name,
        **{field: _text(properties, name) for field, name in _PROPERTIES.items()},
        **{field: _text(address, name) for field, name in _ADDRESS.items()},
        "logo": logo_address(seller),
        "colour": seller.colour,
        "terms": next((_text(terms, "url") for terms in _terms_of(seller) if terms.get("@type") in _TERMS), ""),
    }


def check_fields(form: Form) -> Problem | None:
    """Return the problem with the first wrong field."""
    for field in FIELDS:
        value = form[field.name]
        if field.missing and not value:
            return Problem(field.missing, (field.name,))
        if len(value) > _LONGEST:
            return Problem(f"Use at most {_LONGEST} characters.", (field.name,))
        if value and not (value.isprintable() and field.is_valid(value)):
            return Problem(field.wrong or "The text has characters that cannot be typed.", (field.name,))
    return None


def with_fields(seller: Seller, form: Form) -> Seller:
    """Return the Seller with the details of the form. Everything else that is published stays."""
    address = seller.properties.get("address")
    address = {"@type": "PostalAddress", **(address if isinstance(address, Mapping) else {})}
    properties = {
        **seller.properties,
        **{name: form[field] for field, name in _PROPERTIES.items()},
        "address": _without_empty({**address, **{name: form[field] for field, name in _ADDRESS.items()}}),
        "termsOfService": _with_terms(seller, form["terms"]),
        "logo": _with_logo(seller, form["logo"]),
    }
    return replace(
        seller,
        name=form["name"],
        legal_name=form["legal_name"],
        colour=form["colour"].lower(),
        properties=_without_empty(properties),
    )


def _with_logo(seller: Seller, url: str) -> Any:
    """Return the published logo with this address; empty without one."""
    if url == logo_address(seller):
        return seller.properties.get("logo", "")
    return {"@type": "ImageObject", "url": url} if url else ""


def _with_terms(seller: Seller, url: str) -> list[Mapping[str, Any]]:
    """Return the terms of the Seller, the first terms of service with this address, or without it if empty."""
    terms = _terms_of(seller)
    known = next((entry for entry in terms if entry.get("@type") in _TERMS), None)
    others = [entry for entry in terms if entry is not known]
    return [{**TERMS, **(known or {}), "url": url}, *others] if url else others


def _terms_of(seller: Seller) -> list[Mapping[str, Any]]:
    terms = seller.properties.get("termsOfService")
    return [entry for entry in terms if isinstance(entry, Mapping)] if isinstance(terms, list | tuple) else []


def _text(thing: Mapping[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def _without_empty(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value not in ("", [], {})}
