"""Add or replace a Seller, from the details that a person enters."""

import msgspec

from openbooking.booking.commands.opportunities.republish import publish_seller
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.colours import parse_colour
from openbooking.booking.model.keys import check_key
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.store import Store
from openbooking.openactive.contact_details import country_problem, email_problem, vat_number_problem
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import TaxMode
from openbooking.openactive.web_addresses import web_address_problem
from openbooking.user_error import UserError

_NOT_EMPTY = ("name", "legal_name", "street", "locality", "region", "postcode")
# The terms of service of a Seller, without their address.
TERMS = {"@type": "Terms", "name": "Terms of service", "requiresExplicitConsent": False}


class InvalidWebAddressError(UserError):
    """A detail of a Seller must be a web address, but is another text."""


class InvalidSellerDetailError(UserError):
    """A detail of a Seller is empty or not valid."""


class SellerExistsError(UserError):
    """Another Seller has this key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is a Seller {key} already.")


class SellerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The details of a Seller: those that Orders must show (OB 10.1.10), and optional ones.

    Attributes:
        key: The last part of the Seller's `@id`.
        vat: The VAT treatment of the Offers that are imported for the Seller; None for `Seller.default_vat`.
        country: The code of two letters in ISO 3166-1, such as GB.
        logo: The web address of a picture.
        terms: The web address of the terms of service.
        colour: The colour of the pages for the staff of the Seller, which is not published.

    Raises:
        InvalidColourError: The `colour` is not `#` and six hexadecimal digits.
        InvalidSellerDetailError: A detail that Orders must show is empty, or the `email`, the `country` or the `vat_id`
            is not valid.
        InvalidKeyError: The key cannot be part of an `@id`.
        InvalidWebAddressError: The `url` the `logo` or the `terms` are not a web address.
    """

    key: str
    name: str
    legal_name: str
    tax_mode: TaxMode
    email: str
    url: str
    street: str
    locality: str
    region: str
    postcode: str
    country: str
    telephone: str | None = None
    vat_id: str | None = None
    vat: VatTreatment | None = None
    logo: str | None = None
    terms: str | None = None
    colour: str | None = None

    def __post_init__(self) -> None:
        """Check each detail."""
        check_key(self.key)
        empty = [name for name in _NOT_EMPTY if not getattr(self, name).strip()]
        if empty:
            raise InvalidSellerDetailError(f"The {empty[0].replace('_', ' ')} of a Seller cannot be empty.")
        problems = (
            email_problem(self.email),
            country_problem(self.country),
            vat_number_problem(self.vat_id) if self.vat_id else "",
        )
        if found := " ".join(filter(None, problems)):
            raise InvalidSellerDetailError(found)
        if self.colour:
            parse_colour(self.colour)
        for address in (self.url, self.logo or self.url, self.terms or self.url):
            if problem := web_address_problem(address):
                raise InvalidWebAddressError(problem)

    @property
    def seller(self) -> Seller:
        """The Seller with these details, an Organization."""
        logo = {"@type": "ImageObject", "url": self.logo} if self.logo else None
        terms = [{**TERMS, "url": self.terms}] if self.terms else None
        optional = {"telephone": self.telephone, "vatID": self.vat_id, "logo": logo, "termsOfService": terms}
        return Seller(
            key=self.key,
            name=self.name,
            legal_name=self.legal_name,
            tax_mode=self.tax_mode,
            vat=self.vat,
            colour=parse_colour(self.colour) if self.colour else "",
            properties={
                "url": self.url,
                "email": self.email,
                "address": {
                    "@type": "PostalAddress",
                    "streetAddress": self.street,
                    "addressLocality": self.locality,
                    "addressRegion": self.region,
                    "postalCode": self.postcode,
                    "addressCountry": self.country,
                },
                **{name: value for name, value in optional.items() if value},
            },
        )


async def add_seller(store: Store, details: SellerDetails, actor: Actor, *, replaces: bool) -> int | None:
    """Add a Seller, or replace one and rewrite the feed items that show it.

    Returns:
        The number of feed items that show the replaced Seller; None for a new Seller.

    Raises:
        SellerExistsError: A Seller has the key, and `replaces` is False.
    """
    exists = any(seller.key == details.key for seller in await store.sellers())
    if exists and not replaces:
        raise SellerExistsError(details.key)
    shown = await publish_seller(store, details.seller, actor)
    return shown if exists else None
