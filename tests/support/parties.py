"""The parties of the tests: two Sellers and several Booking Partners, so that each test can check isolation.

Both Sellers have authorised Alice and Bob; only the studio has authorised Charlie. MANAGER is the actor of Seller
decisions.
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
# The partner may set prices of its own, and book without a price with two accounts.
AGREED = GrantTerms(offer_overrides=True, dynamic_accounts=frozenset({"MOVE", "OTHER"}))
AGREED_ALICE = replace(ALICE, other_terms=AGREED)

MANAGER = Actor(ActorKind.STAFF, "ann")

CUSTOMER = {"@type": "Person", "email": "geoff@example.com", "givenName": "Geoff", "telephone": "020 811 8055"}
BROKER = {"@type": "Organization", "name": "MyFitnessApp", "url": "https://myfitnessapp.example.com"}
