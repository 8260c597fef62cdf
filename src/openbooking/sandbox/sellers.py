"""The demo data of the two made-up Sellers."""

from openbooking.booking.model.opportunity import Properties, Seller
from openbooking.openactive.terms import TaxMode


def _address(street: str, postcode: str) -> Properties:
    """Return the JSON-LD of an address in Oxford."""
    return {
        "@type": "PostalAddress",
        "streetAddress": street,
        "addressLocality": "Oxford",
        "addressRegion": "Oxfordshire",
        "postalCode": postcode,
        "addressCountry": "GB",
    }


def _seller_properties(site: str, street: str, postcode: str, telephone: str, vat_id: str) -> Properties:
    """Return the published properties of a Seller with this web site, address, telephone number and VAT id."""
    return {
        "url": f"{site}/",
        "email": f"bookings@{site.removeprefix('https://')}",
        "telephone": telephone,
        "vatID": vat_id,
        "address": _address(street, postcode),
        "logo": {"@type": "ImageObject", "url": f"{site}/logo.png"},
        "termsOfService": [
            {
                "@type": "PrivacyPolicy",
                "name": "Privacy policy",
                "url": f"{site}/privacy",
                "requiresExplicitConsent": False,
            },
            {
                "@type": "TermsOfUse",
                "name": "Terms of use",
                "url": f"{site}/terms",
                "requiresExplicitConsent": False,
            },
        ],
    }


SITES = {"riverbank-trust": "https://riverbank.example.org", "willow-studio": "https://willow.example.com"}

TRUST = Seller(
    key="riverbank-trust",
    name="Riverbank Leisure Centre",
    legal_name="Riverbank Community Leisure Trust",
    tax_mode=TaxMode.GROSS,
    colour="#1d4f91",
    properties=_seller_properties(SITES["riverbank-trust"], "1 Meadow Lane", "OX4 4ZZ", "01632 960101", "GB999999973"),
)
STUDIO = Seller(
    key="willow-studio",
    name="Willow Studio",
    legal_name="Willow Movement Ltd",
    tax_mode=TaxMode.NET,
    colour="#5b7f2b",
    properties=_seller_properties(SITES["willow-studio"], "22a Canal Street", "OX2 6ZZ", "01632 960202", "GB999999974"),
)
SELLERS = (TRUST, STUDIO)
