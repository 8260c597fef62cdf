"""The messages of the Open Booking API as typed structs, for Booking Systems and Brokers alike (OB 9, 10).

Decode with `msgspec.json.decode(body, type=OrderQuote)` and encode with `msgspec.json.encode(message)`. Properties have
the names of the specification in snake case. Unknown properties are ignored (OB-MT-10).

Some objects keep unknown properties, and are called *open objects*: an Opportunity, an Offer, a Seller, a Broker, a
Customer, an attendee, an answer and an access pass. Publishers and Brokers may add properties to these objects, and a
Booking System returns the objects with all properties (OB-CUST-17, P-10). Within a message, an open object is
therefore a JSON mapping. The properties that the specification defines for an open object are in a struct, for example
`Offer` or `Organization`. `known_part` reads the struct from the mapping, and `open_object` makes a mapping from the
struct.
"""

from openbooking.openactive.messages.base import JsonObject, Message, Reference, known_part, open_object
from openbooking.openactive.messages.items import (
    AccessCode,
    AdditionalProperty,
    Barcode,
    FormFieldSpecification,
    IntakeFormAnswer,
    OpenBookingError,
    OrderItem,
    VirtualLocation,
)
from openbooking.openactive.messages.orders import (
    Lease,
    Order,
    OrderFeedData,
    OrderProposal,
    OrderProposalFeedData,
    OrderQuote,
)
from openbooking.openactive.messages.parties import (
    BookingService,
    ImageObject,
    Organization,
    Person,
    PostalAddress,
    Terms,
)
from openbooking.openactive.messages.prices import (
    Offer,
    OfferOverride,
    Payment,
    PriceSpecification,
    QuantitativeValue,
    TaxChargeSpecification,
)
from openbooking.openactive.messages.requests import (
    OrderItemPatch,
    OrderItemRequest,
    OrderPatch,
    OrderProposalPatch,
    OrderRequest,
    ProposalBookingRequest,
)

__all__ = [
    "AccessCode",
    "AdditionalProperty",
    "Barcode",
    "BookingService",
    "FormFieldSpecification",
    "ImageObject",
    "IntakeFormAnswer",
    "JsonObject",
    "Lease",
    "Message",
    "Offer",
    "OfferOverride",
    "OpenBookingError",
    "Order",
    "OrderFeedData",
    "OrderItem",
    "OrderItemPatch",
    "OrderItemRequest",
    "OrderPatch",
    "OrderProposal",
    "OrderProposalFeedData",
    "OrderProposalPatch",
    "OrderQuote",
    "OrderRequest",
    "Organization",
    "Payment",
    "Person",
    "PostalAddress",
    "PriceSpecification",
    "ProposalBookingRequest",
    "QuantitativeValue",
    "Reference",
    "TaxChargeSpecification",
    "Terms",
    "VirtualLocation",
    "known_part",
    "open_object",
]
