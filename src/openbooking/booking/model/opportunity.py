"""Sellers, Opportunities and Offers as this system sells them, and Offer inheritance (OB 8.1, MOD "Parent-child").

What a rule looks at is a field; everything else that is published about a thing is its `properties`, JSON-LD as it
will appear. They are looked into only where a field is derived from them (`booking.whereabouts`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from openbooking.openactive.ids import OfferRef
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import Availability, EventStatus, FlowRequirement, FormFieldType, TaxMode

Properties = Mapping[str, Any]


class Seller(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An organisation or person that sells Opportunities; `properties` hold its address, logo, terms and so on.

    `source` tells what published it; a Seller that was added by whoever runs the system has none. `vat` is the VAT
    treatment of the Offers that are imported for it, if one was chosen.
    """

    key: str
    type: str = "Organization"
    name: str
    legal_name: str
    tax_mode: TaxMode
    open_booking_allowed: bool = True
    vat: VatTreatment | None = None
    source: str = ""
    properties: Properties = {}

    @property
    def default_vat(self) -> VatTreatment:
        """The VAT treatment of its imported Offers. A Seller without a `vatID` is not registered for VAT."""
        registered = VatTreatment.STANDARD if self.properties.get("vatID") else VatTreatment.OUTSIDE_SCOPE
        return self.vat or registered


class FormField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question that the Seller asks with each booking (OB 5.6.3); `options` are those of a dropdown."""

    key: str
    type: FormFieldType
    name: str
    description: str
    required: bool = False
    options: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price at which an Opportunity can be had; `price` includes tax if its Seller's tax mode is gross.

    `attendee_details` are the URIs of the properties that each attendee must have, `intake_form` what is asked besides,
    `flow` what else it asks of the booking flow. It can be booked from `valid_from` until before `valid_through`.
    `min_quantity` and `max_quantity` limit the number of OrderItems with it for one Opportunity in one Order. An
    `override` is named by a Broker and published nowhere.
    """

    key: str
    owner: str
    price: Decimal
    currency: str | None = None
    name: str | None = None
    vat: VatTreatment = VatTreatment.STANDARD
    in_advance: Availability | None = None
    prepayment: Availability | None = None
    valid_from: datetime | None = None
    valid_through: datetime | None = None
    min_quantity: int = 1
    max_quantity: int | None = None
    valid_from_before_start: timedelta | None = None
    valid_through_before_start: timedelta | None = None
    latest_cancellation_before_start: timedelta | None = None
    full_refund_on_cancellation: bool | None = None
    flow: tuple[FlowRequirement, ...] = ()
    attendee_details: tuple[str, ...] = ()
    intake_form: tuple[FormField, ...] = ()
    override: bool = False
    properties: Properties = {}

    @property
    def ref(self) -> OfferRef:
        """How the Offer is referred to from elsewhere."""
        return OfferRef(self.owner, self.key)

    @property
    def flow_requirements(self) -> tuple[FlowRequirement, ...]:
        """All that it asks of the booking flow (OB-BKBL-13 to OB-BKBL-18)."""
        details = (FlowRequirement.ATTENDEE_DETAILS,) if self.attendee_details else ()
        form = (FlowRequirement.INTAKE_FORM,) if self.intake_form else ()
        return (*self.flow, *details, *form)


class AccessRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lets an attendee in (OB 8.7).

    `code` asks for a code to type. `pass_image` is the https URL of a picture to show, `barcode` the format of a
    barcode to scan, `channel` a VirtualLocation to join; `{code}` in them stands for the attendee's own code.
    """

    code: bool = False
    pass_image: str | None = None
    barcode: str | None = None
    channel: Properties | None = None


class SaleState(StrEnum):
    """Whether an Opportunity is on sale, and if not, why; apart from `status`, which tells whether it takes place.

    What is UNPUBLISHED was taken off sale by whoever sells it, and what is NOT_UNDERSTOOD by an import that could not
    read all of it; what is OVER has taken place.
    """

    ON_SALE = "on-sale"
    UNPUBLISHED = "unpublished"
    NOT_UNDERSTOOD = "not-understood"
    OVER = "over"


class Inherited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of an Opportunity is its parent's, because its provider does not say it of the Opportunity itself.

    `status` is its eventStatus, `dates` its start and end, and `duration` only the time between them. `offers` are the
    keys of the Offers that it names by `@id` alone.
    """

    status: bool = False
    dates: bool = False
    duration: bool = False
    offers: tuple[str, ...] = ()


class Opportunity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something bookable, or the parent of such things; one concept whatever its type.

    `path` identifies it, `parent` is the path of its `superEvent` or `facilityUse`. `capacity` is how many spaces
    this system may sell: parents have none, and without one only what is available at any time can be booked.
    `offers_unknown` tells that it is sold at Offers of its own, none of which is known here.
    `sale` is its own sale state; it is on sale only where its parents are too (`is_on_sale`).
    `accessible_for_free` is published as `isAccessibleForFree`. `source` tells what published it: everything from one
    source can be withdrawn together, and nothing from another takes its place. `venue` and `activities` are keys that
    follow from `properties` (`booking.whereabouts`), empty where it publishes no location or activity of its own.
    `inherited` says which of the fields are its parent's (`booking.inheritance`). `called_off` says that its Seller has
    cancelled it here, which no import takes back. `withdrawn` says that it is stored only so that it stays
    unpublished or called off if it is published again. `not_understood` says of what is unpublished that its latest
    version is not understood, so that it is not on sale either when it is published again.
    """

    path: str
    type: OpportunityType
    seller: str
    parent: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    capacity: int | None = None
    status: EventStatus = EventStatus.SCHEDULED
    sale: SaleState = SaleState.ON_SALE
    accessible_for_free: bool | None = None
    offers: tuple[Offer, ...] = ()
    offers_unknown: bool = False
    source: str = ""
    venue: str = ""
    activities: tuple[str, ...] = ()
    access: AccessRules | None = None
    inherited: Inherited | None = None
    called_off: bool = False
    withdrawn: bool = False
    not_understood: bool = False
    properties: Properties = {}

    @property
    def takes_place(self) -> bool:
        """Whether it is neither cancelled nor postponed."""
        return self.status not in (EventStatus.CANCELLED, EventStatus.POSTPONED)

    @property
    def over_at(self) -> datetime | None:
        """When it is over; None for what has no date."""
        return self.end or self.start

    def is_over(self, now: datetime) -> bool:
        """Whether it has taken place: what is refunded from then on is agreed on elsewhere (OB 8.3.1, OB-SEL-12)."""
        return self.over_at is not None and self.over_at <= now


def parents_among(known: Mapping[str, Opportunity], opportunity: Opportunity) -> tuple[Opportunity, ...]:
    """The parents of an Opportunity, nearest first, as far as they are known by their paths."""
    found: list[Opportunity] = []
    parent = known.get(opportunity.parent) if opportunity.parent else None
    while parent and parent not in found:
        found.append(parent)
        parent = known.get(parent.parent) if parent.parent else None
    return tuple(found)


def is_on_sale(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> bool:
    """Whether it is in the open feeds and can be booked: it and all its parents are on sale. Orders never ask."""
    return all(member.sale is SaleState.ON_SALE and not member.withdrawn for member in (opportunity, *parents))


def sale_when_published(known: Opportunity | None, published: Opportunity) -> SaleState:
    """The sale state of what is published anew: a publication never puts on sale what its Seller has unpublished."""
    unpublished = known is not None and known.sale is SaleState.UNPUBLISHED
    return SaleState.UNPUBLISHED if unpublished else published.sale


def applicable_offers(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> tuple[Offer, ...]:
    """The Offers that apply: an Opportunity's own, else for a ScheduledSession those of its SessionSeries.

    A Slot never falls back to its facility (AMB-08), and nothing does that has Offers of its own (OB-BKBL-32).
    """
    inherits = opportunity.type.inherits_offers and not opportunity.offers_unknown
    return parents[0].offers if parents and inherits and not opportunity.offers else opportunity.offers
