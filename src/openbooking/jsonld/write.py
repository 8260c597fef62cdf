"""Domain things as JSON-LD: what feeds and replies have in common (Part B of the requirements, P-05 to P-21)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.booking.model.order import Access, Proposal, TaxCharge, Totals
from openbooking.booking.model.record import ItemState
from openbooking.jsonld.scalars import write_duration, write_instant, write_price
from openbooking.openactive.ids import FormFieldRef, Identifiers, key_of
from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import CHILD_PROPERTIES
from openbooking.openactive.terms import OPENACTIVE, FormFieldType

CONTEXT = OPENACTIVE
# Contexts of the vocabularies that published properties may use; the validator knows the first two by heart.
FEED_CONTEXT = [OPENACTIVE, f"{OPENACTIVE}ns-beta"]

JsonObject = dict[str, Any]


class Writer:
    """Writes below one Base URI."""

    def __init__(self, ids: Identifiers) -> None:
        self.ids = ids

    def seller(self, seller: Seller, *, in_feed: bool) -> JsonObject:
        """A Seller: in feeds with `isOpenBookingAllowed` (AMB-05)."""
        written = {
            "@type": seller.type,
            "@id": self.ids.seller(seller.key),
            "name": seller.name,
            "legalName": seller.legal_name,
            "taxMode": seller.tax_mode,
            **seller.properties,
        }
        if in_feed:
            written["isOpenBookingAllowed"] = seller.open_booking_allowed
        return written

    def offer(self, offer: Offer, *, in_feed: bool) -> JsonObject:
        """An Offer: in feeds with `openBookingFlowRequirement`, which replies leave out (OB-VAL-39)."""
        if offer.override:
            return self._override(offer)
        flow = list(offer.flow_requirements) if in_feed else None
        return _present(
            {
                "@type": "Offer",
                "@id": self.ids.offer(offer.ref),
                "name": offer.name,
                "price": write_price(offer.price),
                "priceCurrency": offer.currency if offer.price else None,
                "openBookingInAdvance": offer.in_advance,
                "openBookingPrepayment": offer.prepayment,
                "validFrom": _instant(offer.valid_from),
                "validThrough": _instant(offer.valid_through),
                "eligibleQuantity": _quantity(offer),
                "validFromBeforeStartDate": _duration(offer.valid_from_before_start),
                "validThroughBeforeStartDate": _duration(offer.valid_through_before_start),
                "allowCustomerCancellationFullRefund": offer.full_refund_on_cancellation,
                "latestCancellationBeforeStartDate": _duration(offer.latest_cancellation_before_start),
                "openBookingFlowRequirement": flow or None,
                **offer.properties,
            }
        )

    def _override(self, offer: Offer) -> JsonObject:
        """An OfferOverride, which has none of what only a published Offer can have (OB-OVR-11)."""
        return _present(
            {
                "@type": "OfferOverride",
                "@id": self.ids.offer(offer.ref),
                "name": offer.name,
                "price": write_price(offer.price),
                "priceCurrency": offer.currency,
                **offer.properties,
            }
        )

    def details(self, offer: Offer) -> JsonObject:
        """What an OrderItem with this Offer asks about its attendee and besides (OB-CUST-11)."""
        required = {"attendeeDetailsRequired": list(offer.attendee_details) or None}
        return _present(required) | self.intake_form(offer)

    def intake_form(self, offer: Offer) -> JsonObject:
        """The questions that an OrderItem with this Offer asks (OB-FORM-03)."""
        form = [
            _present(
                {
                    "@type": field.type,
                    "@id": self.ids.form_field(FormFieldRef(offer.ref, field.key)),
                    "name": field.name,
                    "description": field.description,
                    "valueRequired": field.required if field.type is not FormFieldType.BOOLEAN else None,
                    "valueOption": list(field.options) or None,
                }
            )
            for field in offer.intake_form
        ]
        return {"orderItemIntakeForm": form} if form else {}

    def proposal(self, uuid: str, proposal: Proposal) -> JsonObject:
        """How a proposal stands; the Customer's own note is never told back (OB-AMEND-13)."""
        return _present(
            {
                "orderProposalVersion": self.ids.proposal_version(uuid, proposal.version),
                "orderProposalStatus": proposal.status,
                "orderSellerNote": proposal.seller_note,
            }
        )

    def state(self, state: ItemState) -> JsonObject:
        """What has become of a booked OrderItem."""
        return _present(
            {
                "orderItemStatus": state.status,
                "cancellationMessage": state.cancellation_message,
                "customerNotice": state.customer_notice,
            }
        )

    def access(self, access: Access | None) -> JsonObject:
        """What lets the attendee in (OB-ACC-05 to OB-ACC-13)."""
        if access is None:
            return {}
        code = {"@type": "PropertyValue", "name": "Access code", "description": access.code}
        return _present(
            {
                "accessCode": [code] if access.code else None,
                "accessPass": [*access.passes, *access.own_passes] or None,
                "accessChannel": access.channel,
            }
        )

    def opportunity(self, opportunity: Opportunity, remaining: int | None) -> JsonObject:
        """What an Opportunity is in itself, with the spaces it has left where they are told."""
        row = opportunity.type.row
        instant = _write_date if row.dates is Dates.DAYS else write_instant
        written = {
            "@type": opportunity.type,
            "@id": self.ids.opportunity(opportunity.path),
            "identifier": key_of(opportunity.path),
            **opportunity.properties,
        }
        if opportunity.start:
            written["startDate"] = instant(opportunity.start)
        if opportunity.start and opportunity.end:
            written["endDate"] = instant(opportunity.end)
            written["duration"] = write_duration(opportunity.end - opportunity.start)
        if row.has_status:
            written["eventStatus"] = opportunity.status
        if opportunity.accessible_for_free is not None:
            written["isAccessibleForFree"] = opportunity.accessible_for_free
        if row.capacity and opportunity.capacity is not None:
            written.setdefault(row.capacity.maximum, opportunity.capacity)
        if row.capacity and remaining is not None:
            written[row.capacity.remaining] = remaining
        return written

    def opportunity_with_parents(
        self, opportunity: Opportunity, parents: Sequence[Opportunity], remaining: int | None
    ) -> JsonObject:
        """An Opportunity as replies show it: parents within, without Offers, Seller or siblings (OB-VAL-37)."""
        written = self.opportunity(opportunity, remaining)
        for name in CHILD_PROPERTIES:
            written.pop(name, None)
        link = opportunity.type.parent_property
        if parents and link:
            parent, *further = parents
            written[link] = self.opportunity_with_parents(parent, further, None)
        return written

    def totals(self, totals: Totals) -> JsonObject:
        """`totalPaymentDue` and `totalPaymentTax`."""
        due = {
            "@type": "PriceSpecification",
            "price": write_price(totals.price),
            "priceCurrency": currency_of(totals.price, totals.currency),
            "openBookingPrepayment": totals.prepayment,
        }
        return _present({"totalPaymentDue": _present(due), "totalPaymentTax": self.tax(totals.tax) or None})

    def tax(self, charges: Sequence[TaxCharge]) -> list[JsonObject]:
        """Amounts of tax (OB-TAX-11)."""
        return [
            _present(
                {
                    "@type": "TaxChargeSpecification",
                    "name": charge.name,
                    "price": write_price(charge.price),
                    "priceCurrency": currency_of(charge.price, charge.currency),
                    "rate": write_price(charge.rate),
                }
            )
            for charge in charges
        ]


def currency_of(price: Decimal, currency: str | None) -> str | None:
    """The currency to write beside a price: none beside nothing."""
    return currency if price else None


def _present(values: Mapping[str, Any]) -> JsonObject:
    """The values there are: what has none is left out (OB-MT-09)."""
    return {name: value for name, value in values.items() if value is not None}


def _write_date(instant: datetime) -> str:
    """A course is given in days: those of the place where it is held, whose offset the instant keeps."""
    return instant.date().isoformat()


def _instant(value: datetime | None) -> str | None:
    return None if value is None else write_instant(value)


def _quantity(offer: Offer) -> JsonObject | None:
    """The `eligibleQuantity` of an Offer that has one."""
    if offer.min_quantity <= 1 and offer.max_quantity is None:
        return None
    return _present({"@type": "QuantitativeValue", "minValue": offer.min_quantity, "maxValue": offer.max_quantity})


def _duration(value: Any) -> str | None:
    return None if value is None else write_duration(value)
