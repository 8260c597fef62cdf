"""Sellers, Brokers, Customers, attendees and the Booking System itself (OB 10.1.4, 10.1.5, 10.1.9, 10.1.16 to 10.1.18).

Tables P-05, P-06, P-10 and P-11 of the requirements.
"""

from typing import Literal

from msgspec import field

from openbooking.openactive.messages.base import Identifier, Instant, Message, TypedMessage, Uri
from openbooking.openactive.terms import TaxMode


class ImageObject(TypedMessage, frozen=True, kw_only=True):
    """An image: a logo, or an access pass."""

    url: Uri


class PostalAddress(TypedMessage, frozen=True, kw_only=True):
    """An address; `addressCountry` is an ISO 3166-1 alpha-2 code."""

    street_address: str
    address_locality: str
    address_region: str
    postal_code: str
    address_country: str


class Terms(Message, frozen=True, kw_only=True):
    """Terms that the Broker shows to the Customer. `requiresExplicitConsent`: whether the Customer must agree."""

    type: Literal["Terms", "PrivacyPolicy", "TermsOfUse"] = field(name="@type")
    name: str
    url: Uri
    requires_explicit_consent: bool
    date_modified: Instant | None = None


class _Party(TypedMessage, frozen=True, kw_only=True):
    """The properties that an Organization and a Person share. Their order is the order of the members in replies."""

    id: str | None = field(name="@id", default=None)
    identifier: Identifier | None = None
    name: str | None = None
    legal_name: str | None = None
    tax_mode: TaxMode | None = None
    description: str | None = None
    url: Uri | None = None
    logo: ImageObject | None = None
    telephone: str | None = None
    email: str | None = None
    vat_id: str | None = field(name="vatID", default=None)
    address: PostalAddress | None = None
    terms_of_service: tuple[Terms, ...] = ()
    is_open_booking_allowed: bool | None = None


class Organization(_Party, frozen=True, kw_only=True):
    """A Seller, a Broker or a Customer that is an organisation."""

    name: str


class Person(_Party, frozen=True, kw_only=True):
    """A Customer, an attendee or a Seller that is a person.

    A Person that is a Seller has a `name`, and has neither `givenName` nor `familyName`.
    """

    given_name: str | None = None
    family_name: str | None = None


class BookingService(TypedMessage, frozen=True, kw_only=True):
    """The Booking System that sends the reply."""

    name: str
    url: Uri | None = None
    software_version: str | None = None
    terms_of_service: tuple[Terms, ...] = ()
