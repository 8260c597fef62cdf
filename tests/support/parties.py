"""Who takes part in the tests: two Sellers and two Booking Partners, so that isolation can always be tested.

Alice and Bob are partners that both Sellers have authorised; Charlie is one that only the studio has. MANAGER is who
acts for the Sellers.
"""

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import Caller
from openbooking.openactive.terms import TaxMode

ADDRESS = {
    "@type": "PostalAddress",
    "streetAddress": "1 High Street",
    "addressLocality": "Testford",
    "addressRegion": "Testshire",
    "postalCode": "TE5 7AB",
    "addressCountry": "GB",
}

CENTRE = Seller(
    key="centre",
    name="Riverside Centre",
    legal_name="Riverside Leisure Trust",
    tax_mode=TaxMode.GROSS,
    properties={"address": ADDRESS, "url": "https://riverside.example.com/"},
)
STUDIO = Seller(
    key="studio",
    name="Pine Studio",
    legal_name="Pine Studio Ltd",
    tax_mode=TaxMode.NET,
    properties={"address": ADDRESS, "url": "https://pine.example.com/"},
)

ALICE = Caller("alice", frozenset({"centre", "studio"}))
BOB = Caller("bob", frozenset({"centre", "studio"}))
CHARLIE = Caller("charlie", frozenset({"studio"}))
# Prices of a partner's own, and two accounts with which it books without a price.
AGREED = GrantTerms(offer_overrides=True, dynamic_accounts=frozenset({"MOVE", "OTHER"}))
AGREED_ALICE = replace(ALICE, other_terms=AGREED)

MANAGER = Actor(ActorKind.STAFF, "ann")

CUSTOMER = {"@type": "Person", "email": "geoff@example.com", "givenName": "Geoff", "telephone": "020 811 8055"}
BROKER = {"@type": "Organization", "name": "MyFitnessApp", "url": "https://myfitnessapp.example.com"}
