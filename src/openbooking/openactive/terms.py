"""Types of Orders, statuses and other enumerations of the Open Booking API and of Modelling Opportunity Data."""

from enum import StrEnum

OPENACTIVE = "https://openactive.io/"
SCHEMA = "https://schema.org/"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"

BOOKING_MEDIA_TYPE = "application/vnd.openactive.booking+json; version=1"
RPDE_MEDIA_TYPE = "application/vnd.openactive.rpde+json; version=1"


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
    """The values of `brokerRole`: whether the Broker is an agent, a reseller or absent (OB 6)."""

    AGENT = f"{OPENACTIVE}AgentBroker"
    RESELLER = f"{OPENACTIVE}ResellerBroker"
    NO_BROKER = f"{OPENACTIVE}NoBroker"


class TaxMode(StrEnum):
    """Whether a Seller's Offer prices include tax (OB 7.5)."""

    NET = f"{OPENACTIVE}TaxNet"
    GROSS = f"{OPENACTIVE}TaxGross"


class TaxTreatment(StrEnum):
    """How an Order shows tax (OB 7.4): calculated, included in prices but not calculated, or excluded."""

    CALCULATED = "calculated"
    INCLUDED = "included"
    EXCLUDED = "excluded"


class OrderItemStatus(StrEnum):
    """The values of `orderItemStatus` of a booked OrderItem (OB 10.1.6)."""

    CONFIRMED = f"{OPENACTIVE}OrderItemConfirmed"
    CUSTOMER_CANCELLED = f"{OPENACTIVE}CustomerCancelled"
    SELLER_CANCELLED = f"{OPENACTIVE}SellerCancelled"
    ATTENDED = f"{OPENACTIVE}AttendeeAttended"
    ABSENT = f"{OPENACTIVE}AttendeeAbsent"

    @property
    def cancelled(self) -> bool:
        """Whether the item is cancelled. A cancelled item holds no space and is not paid for."""
        return self in (OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED)

    @property
    def has_attendance(self) -> bool:
        """Whether attendance or absence is recorded. Such an item is neither cancelled nor replaced."""
        return self in (OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT)


class OrderProposalStatus(StrEnum):
    """The values of `orderProposalStatus` (OB 5.5.5)."""

    AWAITING = f"{OPENACTIVE}AwaitingSellerConfirmation"
    ACCEPTED = f"{OPENACTIVE}SellerAccepted"
    SELLER_REJECTED = f"{OPENACTIVE}SellerRejected"
    CUSTOMER_REJECTED = f"{OPENACTIVE}CustomerRejected"


class EventStatus(StrEnum):
    """The values of `eventStatus`. Only scheduled and rescheduled Opportunities can be booked (OB 8.1)."""

    SCHEDULED = f"{SCHEMA}EventScheduled"
    RESCHEDULED = f"{SCHEMA}EventRescheduled"
    CANCELLED = f"{SCHEMA}EventCancelled"
    POSTPONED = f"{SCHEMA}EventPostponed"


class Availability(StrEnum):
    """The values of `openBookingInAdvance` and `openBookingPrepayment` (`advanceBooking` and `prepayment` in OB)."""

    REQUIRED = f"{OPENACTIVE}Required"
    OPTIONAL = f"{OPENACTIVE}Optional"
    UNAVAILABLE = f"{OPENACTIVE}Unavailable"


class FormFieldType(StrEnum):
    """The types of questions in an intake form (OB-FORM-02)."""

    SHORT_ANSWER = "ShortAnswerFormFieldSpecification"
    PARAGRAPH = "ParagraphFormFieldSpecification"
    DROPDOWN = "DropdownFormFieldSpecification"
    BOOLEAN = "BooleanFormFieldSpecification"


class FlowRequirement(StrEnum):
    """The values of `openBookingFlowRequirement`: what an Offer requires of the booking flow (OB 8.1)."""

    APPROVAL = f"{OPENACTIVE}OpenBookingApproval"
    ATTENDEE_DETAILS = f"{OPENACTIVE}OpenBookingAttendeeDetails"
    INTAKE_FORM = f"{OPENACTIVE}OpenBookingIntakeForm"
    NEGOTIATION = f"{OPENACTIVE}OpenBookingNegotiation"
    MESSAGE_EXCHANGE = f"{OPENACTIVE}OpenBookingMessageExchange"
