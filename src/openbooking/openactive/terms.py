"""Types, statuses and enumerations of the Open Booking API and Modelling Opportunity Data, by their own names."""

from enum import StrEnum

OPENACTIVE = "https://openactive.io/"
SCHEMA = "https://schema.org/"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"

BOOKING_MEDIA_TYPE = "application/vnd.openactive.booking+json; version=1"
RPDE_MEDIA_TYPE = "application/vnd.openactive.rpde+json; version=1"


class OpportunityType(StrEnum):
    """The types of Opportunity, and of the parents through which Opportunities inherit (OB 8.1)."""

    SESSION_SERIES = "SessionSeries"
    SCHEDULED_SESSION = "ScheduledSession"
    FACILITY_USE = "FacilityUse"
    INDIVIDUAL_FACILITY_USE = "IndividualFacilityUse"
    SLOT = "Slot"
    EVENT = "Event"
    HEADLINE_EVENT = "HeadlineEvent"
    COURSE_INSTANCE = "CourseInstance"
    ON_DEMAND_EVENT = "OnDemandEvent"

    @property
    def collection(self) -> str:
        """The path segment under which items of this type are identified."""
        return _COLLECTIONS[self]

    @property
    def feed(self) -> str:
        """The open feed of items of this type: one for every kind of event that is not part of a series (AMB-46)."""
        return _COLLECTIONS[OpportunityType.EVENT if self in _KINDS_OF_EVENT else self]

    @property
    def uri(self) -> str:
        """The type's URI: what OpenActive has taken over from schema.org is known by the name it has there."""
        return (SCHEMA if self in _OF_SCHEMA else OPENACTIVE) + self

    @property
    def bookable(self) -> bool:
        """Whether items of this type are what a Customer books, rather than parents of it (OB-BKBL-03)."""
        return self not in (
            OpportunityType.SESSION_SERIES,
            OpportunityType.FACILITY_USE,
            OpportunityType.INDIVIDUAL_FACILITY_USE,
        )

    @property
    def has_children(self) -> bool:
        """Whether items of this type are the parents of others."""
        return self in _PARENTS

    @property
    def at_any_time(self) -> bool:
        """Whether items of this type have no date and no end of spaces: they can always be had."""
        return self is OpportunityType.ON_DEMAND_EVENT

    @property
    def is_facility(self) -> bool:
        """Whether the Seller is the `provider` of a facility, rather than the `organizer` of an event."""
        return self in (OpportunityType.FACILITY_USE, OpportunityType.INDIVIDUAL_FACILITY_USE, OpportunityType.SLOT)

    @property
    def inherits_offers(self) -> bool:
        """Whether items of this type that have no Offers are sold at those of their parent (OB-BKBL-31)."""
        return self is OpportunityType.SCHEDULED_SESSION

    @property
    def shows_seller(self) -> bool:
        """Whether feeds show the Seller with items of this type: the others have it from their parent's feed."""
        return self not in (OpportunityType.SCHEDULED_SESSION, OpportunityType.SLOT)

    @property
    def embeds_parent(self) -> bool:
        """Whether feeds show items of this type with their parent within, not by its `@id` alone."""
        return self in (OpportunityType.INDIVIDUAL_FACILITY_USE, OpportunityType.EVENT)

    @property
    def embedded(self) -> bool:
        """Whether items of this type are shown within their children."""
        return self in (
            OpportunityType.FACILITY_USE,
            OpportunityType.HEADLINE_EVENT,
            OpportunityType.COURSE_INSTANCE,
        )


_COLLECTIONS = {
    OpportunityType.SESSION_SERIES: "session-series",
    OpportunityType.SCHEDULED_SESSION: "scheduled-sessions",
    OpportunityType.FACILITY_USE: "facility-uses",
    OpportunityType.INDIVIDUAL_FACILITY_USE: "individual-facility-uses",
    OpportunityType.SLOT: "slots",
    OpportunityType.EVENT: "events",
    OpportunityType.HEADLINE_EVENT: "headline-events",
    OpportunityType.COURSE_INSTANCE: "course-instances",
    OpportunityType.ON_DEMAND_EVENT: "on-demand-events",
}
_PARENTS = (
    OpportunityType.SESSION_SERIES,
    OpportunityType.FACILITY_USE,
    OpportunityType.INDIVIDUAL_FACILITY_USE,
    OpportunityType.HEADLINE_EVENT,
    OpportunityType.COURSE_INSTANCE,
)
_KINDS_OF_EVENT = (OpportunityType.EVENT, OpportunityType.HEADLINE_EVENT, OpportunityType.COURSE_INSTANCE)
_OF_SCHEMA = (OpportunityType.EVENT, OpportunityType.COURSE_INSTANCE, OpportunityType.ON_DEMAND_EVENT)
TYPE_OF_COLLECTION = {collection: type_ for type_, collection in _COLLECTIONS.items()}


class OrderType(StrEnum):
    """`Order` and its subclasses (OB 10.1.1 to 10.1.3)."""

    QUOTE = "OrderQuote"
    PROPOSAL = "OrderProposal"
    ORDER = "Order"

    @property
    def collection(self) -> str:
        """The path segment of this type's endpoint and `@id`s (OB 9.1)."""
        return {"OrderQuote": "order-quotes", "OrderProposal": "order-proposals", "Order": "orders"}[self]


class BrokerRole(StrEnum):
    """In whose name the Broker acts (OB 6)."""

    AGENT = f"{OPENACTIVE}AgentBroker"
    RESELLER = f"{OPENACTIVE}ResellerBroker"
    NO_BROKER = f"{OPENACTIVE}NoBroker"


class TaxMode(StrEnum):
    """Whether a Seller's Offer prices include tax (OB 7.5)."""

    NET = f"{OPENACTIVE}TaxNet"
    GROSS = f"{OPENACTIVE}TaxGross"


class TaxTreatment(StrEnum):
    """What becomes of tax in an Order: worked out, within the prices but not worked out, or left out (OB 7.4)."""

    CALCULATED = "calculated"
    INCLUDED = "included"
    EXCLUDED = "excluded"


class OrderItemStatus(StrEnum):
    """What has become of a booked OrderItem (OB 10.1.6)."""

    CONFIRMED = f"{OPENACTIVE}OrderItemConfirmed"
    CUSTOMER_CANCELLED = f"{OPENACTIVE}CustomerCancelled"
    SELLER_CANCELLED = f"{OPENACTIVE}SellerCancelled"
    ATTENDED = f"{OPENACTIVE}AttendeeAttended"
    ABSENT = f"{OPENACTIVE}AttendeeAbsent"

    @property
    def cancelled(self) -> bool:
        """Whether the item holds no place any more and is not paid for."""
        return self in (OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED)


class OrderProposalStatus(StrEnum):
    """How far an OrderProposal has come (OB 5.5.5)."""

    AWAITING = f"{OPENACTIVE}AwaitingSellerConfirmation"
    ACCEPTED = f"{OPENACTIVE}SellerAccepted"
    SELLER_REJECTED = f"{OPENACTIVE}SellerRejected"
    CUSTOMER_REJECTED = f"{OPENACTIVE}CustomerRejected"


class EventStatus(StrEnum):
    """`eventStatus` of an Opportunity; only a scheduled or rescheduled one can be booked (OB 8.1)."""

    SCHEDULED = f"{SCHEMA}EventScheduled"
    RESCHEDULED = f"{SCHEMA}EventRescheduled"
    CANCELLED = f"{SCHEMA}EventCancelled"
    POSTPONED = f"{SCHEMA}EventPostponed"


class Availability(StrEnum):
    """Values of `openBookingInAdvance` and `openBookingPrepayment` (named `advanceBooking` and `prepayment` in OB)."""

    REQUIRED = f"{OPENACTIVE}Required"
    OPTIONAL = f"{OPENACTIVE}Optional"
    UNAVAILABLE = f"{OPENACTIVE}Unavailable"


class FormFieldType(StrEnum):
    """The kinds of question in an intake form (OB-FORM-02)."""

    SHORT_ANSWER = "ShortAnswerFormFieldSpecification"
    PARAGRAPH = "ParagraphFormFieldSpecification"
    DROPDOWN = "DropdownFormFieldSpecification"
    BOOLEAN = "BooleanFormFieldSpecification"


class FlowRequirement(StrEnum):
    """What an Offer asks of the booking flow, published as `openBookingFlowRequirement` (OB 8.1)."""

    APPROVAL = f"{OPENACTIVE}OpenBookingApproval"
    ATTENDEE_DETAILS = f"{OPENACTIVE}OpenBookingAttendeeDetails"
    INTAKE_FORM = f"{OPENACTIVE}OpenBookingIntakeForm"
    NEGOTIATION = f"{OPENACTIVE}OpenBookingNegotiation"
    MESSAGE_EXCHANGE = f"{OPENACTIVE}OpenBookingMessageExchange"
