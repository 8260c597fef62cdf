"""Sellers, Opportunities and Offers, and Offer inheritance (OB 8.1, MOD "Parent-child").

The properties that rules read are fields. All other published properties are in `properties`, as JSON-LD that feeds
and replies repeat.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from openbooking.openactive.ids import OfferRef
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import Availability, EventStatus, FlowRequirement, FormFieldType, TaxMode

Properties = Mapping[str, Any]

# How long the open feeds show an Opportunity that is over.
SHOWN_AFTER_END = timedelta(hours=1)


class Seller(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An organisation or person that sells Opportunities.

    Attributes:
        key: The key of the Seller.
        type: `Organization` or `Person`.
        name: The name that Customers see.
        legal_name: The legal name.
        tax_mode: Whether the prices of the Offers include tax.
        open_booking_allowed: Whether the Seller offers booking through this API.
        vat: The VAT treatment of imported Offers, if one was chosen.
        colour: The colour of the pages for its staff, such as `#0b5d4e`; empty for the usual one. Not published.
        source: The name of the source that published the Seller; empty if an administrator added it.
        properties: Further properties, such as address, logo and terms.
    """

    key: str
    type: str = "Organization"
    name: str
    legal_name: str
    tax_mode: TaxMode
    open_booking_allowed: bool = True
    vat: VatTreatment | None = None
    colour: str = ""
    source: str = ""
    properties: Properties = {}

    @property
    def default_vat(self) -> VatTreatment:
        """The VAT treatment of imported Offers; without a `vatID` the Seller is not registered for VAT."""
        registered = VatTreatment.STANDARD if self.properties.get("vatID") else VatTreatment.OUTSIDE_SCOPE
        return self.vat or registered


class FormField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question of an intake form (OB 5.6.3); `options` are the choices of a dropdown."""

    key: str
    type: FormFieldType
    name: str
    description: str
    required: bool = False
    options: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price of an Opportunity, with its conditions.

    Attributes:
        key: The key, which is unique among the Offers of the owner.
        owner: The path of the Opportunity that has the Offer.
        price: The price of one OrderItem; includes tax if the Seller's tax mode is gross.
        currency: The currency of the price; None only if the price is 0.
        name: The name that Customers see.
        vat: The VAT treatment.
        in_advance: Whether the Offer can be booked in advance (`openBookingInAdvance`).
        prepayment: Whether the Offer is paid in advance (`openBookingPrepayment`).
        valid_from: When the Offer begins.
        valid_through: When the Offer ends.
        min_quantity: The least number of OrderItems with the Offer for one Opportunity in one Order.
        max_quantity: The largest number of such OrderItems; None for no limit.
        valid_from_before_start: How long before the start booking opens.
        valid_through_before_start: How long before the start booking closes.
        latest_cancellation_before_start: How long before the start cancellation closes.
        full_refund_on_cancellation: Whether the Customer can cancel, with a full refund.
        flow: The requirements of the booking flow, such as approval, without attendee details and intake form.
        attendee_details: The URIs of the properties that each attendee must have.
        intake_form: The questions of the intake form.
        override: Whether the Broker has set the price; such an Offer is not published.
        restricted: Whether only some people may have the price, such as members. The front desk sells such an Offer,
            and a Booking Partner does if the terms of its grant name the Offer, whatever `in_advance` says.
        properties: Further published properties.
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
    restricted: bool = False
    properties: Properties = {}

    @property
    def ref(self) -> OfferRef:
        """The reference to the Offer."""
        return OfferRef(self.owner, self.key)

    @property
    def flow_requirements(self) -> tuple[FlowRequirement, ...]:
        """All requirements of the booking flow, with attendee details and intake form (OB-BKBL-13 to OB-BKBL-18)."""
        details = (FlowRequirement.ATTENDEE_DETAILS,) if self.attendee_details else ()
        form = (FlowRequirement.INTAKE_FORM,) if self.intake_form else ()
        return (*self.flow, *details, *form)


class AccessRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The means by which an Opportunity admits attendees (OB 8.7). `{code}` in a text stands for the attendee's code.

    Attributes:
        code: Whether each attendee gets a code to type.
        pass_image: The https URL of an image to show.
        barcode: The format of a barcode to scan.
        channel: A VirtualLocation to join.
    """

    code: bool = False
    pass_image: str | None = None
    barcode: str | None = None
    channel: Properties | None = None


class SaleState(StrEnum):
    """Whether an Opportunity is on sale, or the reason why it is off sale.

    UNPUBLISHED: its Seller took the Opportunity off sale. NOT_UNDERSTOOD: an import does not understand its latest
    version. OVER: the Opportunity has taken place. `rules.sale_states` has the table of the allowed changes. Whether
    the Opportunity takes place is another fact, which is in `Opportunity.status`.
    """

    ON_SALE = "on-sale"
    UNPUBLISHED = "unpublished"
    NOT_UNDERSTOOD = "not-understood"
    OVER = "over"


class Inherited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Marks of the properties that an Opportunity inherits, because its provider publishes them for its parent only.

    Attributes:
        status: Whether `eventStatus` is inherited.
        dates: Whether start and end are inherited.
        duration: Whether the duration, and with it the end, is inherited.
        offers: The keys of the Offers that the Opportunity references by `@id` alone.
    """

    status: bool = False
    dates: bool = False
    duration: bool = False
    offers: tuple[str, ...] = ()


class Opportunity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An Opportunity of any type, or the parent of Opportunities.

    Attributes:
        path: The path, which identifies the Opportunity.
        type: The type.
        seller: The key of the Seller.
        parent: The path of its `superEvent` or `facilityUse`.
        start: The start.
        end: The end.
        capacity: How many spaces this system may sell. Parents have no capacity. An Opportunity without a capacity
            cannot be booked, unless it is available at any time.
        status: The `eventStatus`, which says whether the Opportunity takes place.
        sale: The sale state. The Opportunity is on sale only if its parents are on sale, too (`is_on_sale`).
        accessible_for_free: The published `isAccessibleForFree`.
        offers: Its own Offers.
        offers_unknown: Whether the Opportunity has Offers of its own, and an import understood none of them.
        source: The name of the source that published the Opportunity. All Opportunities of a source can be withdrawn
            together, and no other source can replace them.
        venue: The key of the location (`rules.matching_keys`); empty if none is published for the Opportunity itself.
        activities: The keys of the activities; empty if none are published for the Opportunity itself.
        court: The path of the facility whose spaces a Slot shares with the Slots that overlap it; empty if the Slot
            shares no spaces. `rules.capacity` sets it for the Slots of an IndividualFacilityUse.
        access: The means by which attendees are admitted.
        inherited: The properties that are inherited (`rules.inheritance`).
        cancelled_here: Whether the Seller cancelled the Opportunity in this system. No import reverses this.
        withdrawn: Whether the Opportunity was withdrawn. It is still stored, and will be unpublished or cancelled again
            if it is published again.
        published_late: When the Opportunity was last published with a change, if it was over by then.
        not_understood: Whether an import does not understand the latest version of an Opportunity that is unpublished
            or over. Its Seller cannot put such an Opportunity on sale. Otherwise the sale state is NOT_UNDERSTOOD.
        properties: Further published properties.
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
    court: str = ""
    access: AccessRules | None = None
    inherited: Inherited | None = None
    # Stored under its former name.
    cancelled_here: bool = msgspec.field(name="called_off", default=False)
    withdrawn: bool = False
    published_late: datetime | None = None
    not_understood: bool = False
    properties: Properties = {}

    @property
    def takes_place(self) -> bool:
        """Whether the Opportunity is neither cancelled nor postponed."""
        return self.status not in (EventStatus.CANCELLED, EventStatus.POSTPONED)

    @property
    def over_at(self) -> datetime | None:
        """When the Opportunity ends, or starts if it has no end; None if it has no date."""
        return self.end or self.start

    @property
    def court_time(self) -> "CourtTime | None":
        """The time for which the Slot takes its court; None if the Slot shares no spaces."""
        if not self.court or self.start is None or self.end is None:
            return None
        return CourtTime(self.court, self.start, self.end)

    @property
    def leaves_feed_at(self) -> datetime | None:
        """When the Opportunity leaves the open feeds: an hour after its end or its publication, if that is later.

        None if the Opportunity has no date, or is out of the feeds for other reasons.
        """
        if self.over_at is None or self.sale in (SaleState.UNPUBLISHED, SaleState.OVER):
            return None
        return max(self.over_at, self.published_late or self.over_at) + SHOWN_AFTER_END

    def is_over(self, now: datetime) -> bool:
        """Return whether the Opportunity has ended. Its bookings are not refunded any more (OB 8.3.1, OB-SEL-12)."""
        return self.over_at is not None and self.over_at <= now


class CourtTime(NamedTuple):
    """The time for which a Slot takes a court."""

    court: str
    start: datetime
    end: datetime

    def overlaps(self, other: "CourtTime") -> bool:
        """Return whether both times have a moment in common, on the same court."""
        return self.court == other.court and self.start < other.end and other.start < self.end


def parents_among(known: Mapping[str, Opportunity], opportunity: Opportunity) -> tuple[Opportunity, ...]:
    """Return the known parents of an Opportunity, nearest first."""
    found: list[Opportunity] = []
    parent = known.get(opportunity.parent) if opportunity.parent else None
    while parent and parent not in found:
        found.append(parent)
        parent = known.get(parent.parent) if parent.parent else None
    return tuple(found)


def is_on_sale(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> bool:
    """Return whether the Opportunity and all its parents are on sale, and so in the open feeds and bookable."""
    return all(member.sale is SaleState.ON_SALE and not member.withdrawn for member in (opportunity, *parents))


def applicable_offers(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> tuple[Offer, ...]:
    """Return the Offers that apply to the Opportunity: its own Offers, or the Offers of its parent.

    A ScheduledSession without Offers of its own inherits the Offers of its series (OB-BKBL-32). A Slot never inherits
    the Offers of its facility (AMB-08).

    Args:
        opportunity: The Opportunity.
        parents: Its parents, nearest first.
    """
    inherits = opportunity.type.inherits_offers and not opportunity.offers_unknown
    return parents[0].offers if parents and inherits and not opportunity.offers else opportunity.offers
