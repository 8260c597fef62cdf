"""Writes the parts that feeds and replies share: Sellers, Offers, Opportunities, prices and access (P-05 to P-21)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.booking.model.order import Access, TaxCharge, Totals
from openbooking.jsonld.scalars import write_duration, write_instant, write_price
from openbooking.openactive import messages
from openbooking.openactive.ids import FormFieldRef, Identifiers, key_of
from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import CHILD_PROPERTIES
from openbooking.openactive.terms import OPENACTIVE, FormFieldType

CONTEXT = OPENACTIVE
# Publishers may use properties of the beta vocabulary, which then appear in feeds and replies.
BETA_CONTEXT = (OPENACTIVE, f"{OPENACTIVE}ns-beta")

JsonObject = dict[str, Any]


class Writer:
    """Writes Sellers, Offers, Opportunities, totals and taxes.

    Args:
        ids: Makes the `@id`s below the Base URI.
    """

    def __init__(self, ids: Identifiers) -> None:
        self.ids = ids

    def seller(self, seller: Seller, *, in_feed: bool) -> JsonObject:
        """Return a Seller. In feeds the Seller has `isOpenBookingAllowed` (AMB-05)."""
        type_ = messages.Person if seller.type == "Person" else messages.Organization
        written = type_(
            id=self.ids.seller(seller.key), name=seller.name, legal_name=seller.legal_name, tax_mode=seller.tax_mode
        )
        properties = seller.properties
        if in_feed:
            properties = {**properties, "isOpenBookingAllowed": seller.open_booking_allowed}
        return messages.open_object(written, properties)

    def offer(self, offer: Offer, *, in_feed: bool) -> JsonObject:
        """Return an Offer. In feeds the Offer has `openBookingFlowRequirement`; in replies it must not (OB-VAL-39)."""
        if offer.override:
            return self._override(offer)
        written = messages.Offer(
            id=self.ids.offer(offer.ref),
            name=offer.name,
            price=write_price(offer.price),
            price_currency=currency_of(offer.price, offer.currency),
            open_booking_in_advance=offer.in_advance,
            open_booking_prepayment=offer.prepayment,
            valid_from=_instant(offer.valid_from),
            valid_through=_instant(offer.valid_through),
            eligible_quantity=_quantity(offer),
            valid_from_before_start_date=_duration(offer.valid_from_before_start),
            valid_through_before_start_date=_duration(offer.valid_through_before_start),
            allow_customer_cancellation_full_refund=offer.full_refund_on_cancellation,
            latest_cancellation_before_start_date=_duration(offer.latest_cancellation_before_start),
            open_booking_flow_requirement=offer.flow_requirements if in_feed else (),
        )
        return messages.open_object(written, offer.properties)

    def _override(self, offer: Offer) -> JsonObject:
        """Return an OfferOverride, without the properties that only published Offers have (OB-OVR-11)."""
        written = messages.OfferOverride(
            id=self.ids.offer(offer.ref),
            name=offer.name,
            price=write_price(offer.price),
            price_currency=offer.currency,
        )
        return messages.open_object(written, offer.properties)

    def intake_form(self, offer: Offer) -> tuple[messages.FormFieldSpecification, ...]:
        """Return the questions of an Offer's intake form (OB-FORM-03)."""
        return tuple(
            messages.FormFieldSpecification(
                type=field.type,
                id=self.ids.form_field(FormFieldRef(offer.ref, field.key)),
                name=field.name,
                description=field.description,
                value_required=None if field.type is FormFieldType.BOOLEAN else field.required,
                value_option=field.options,
            )
            for field in offer.intake_form
        )

    def opportunity(self, opportunity: Opportunity, remaining: int | None) -> JsonObject:
        """Return an Opportunity without its parents, Offers and Seller.

        Args:
            opportunity: The Opportunity.
            remaining: The number of spaces left; None to leave it out.
        """
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
        """Return an Opportunity for a reply, with its parents, but without Offers, Seller and siblings (OB-VAL-37).

        Args:
            opportunity: The Opportunity.
            parents: The parents, nearest first.
            remaining: The number of spaces left; None to leave it out.
        """
        written = self.opportunity(opportunity, remaining)
        for name in CHILD_PROPERTIES:
            written.pop(name, None)
        link = opportunity.type.parent_property
        if parents and link:
            parent, *further = parents
            written[link] = self.opportunity_with_parents(parent, further, None)
        return written

    def total_due(self, totals: Totals) -> messages.PriceSpecification:
        """Return the `totalPaymentDue` of an Order."""
        return messages.PriceSpecification(
            price=write_price(totals.price),
            price_currency=currency_of(totals.price, totals.currency),
            open_booking_prepayment=totals.prepayment,
        )

    def tax(self, charges: Sequence[TaxCharge]) -> tuple[messages.TaxChargeSpecification, ...]:
        """Return amounts of tax as TaxChargeSpecifications (OB-TAX-11)."""
        return tuple(
            messages.TaxChargeSpecification(
                name=charge.name,
                price=write_price(charge.price),
                price_currency=currency_of(charge.price, charge.currency),
                rate=write_price(charge.rate),
            )
            for charge in charges
        )


def currency_of(price: Decimal, currency: str | None) -> str | None:
    """Return the currency to show with a price; None if the price is 0."""
    return currency if price else None


def access_codes(access: Access | None) -> tuple[messages.AccessCode, ...]:
    """Return the `accessCode` of an OrderItem (OB-ACC-05)."""
    if access is None or not access.code:
        return ()
    return (messages.AccessCode(name="Access code", description=access.code),)


def access_passes(access: Access | None) -> tuple[messages.JsonObject, ...]:
    """Return the `accessPass` of an OrderItem: first passes of this system, then barcodes of the Broker (OB-ACC-12)."""
    return (*access.passes, *access.own_passes) if access else ()


def access_channel(access: Access | None) -> messages.JsonObject | None:
    """Return the `accessChannel` of an OrderItem (OB-ACC-13)."""
    return access.channel if access else None


def _write_date(instant: datetime) -> str:
    """Return the date of an instant in its own UTC offset, which is that of the location of the course."""
    return instant.date().isoformat()


def _instant(value: datetime | None) -> str | None:
    return None if value is None else write_instant(value)


def _quantity(offer: Offer) -> messages.QuantitativeValue | None:
    """Return the `eligibleQuantity` of an Offer; None if any number of OrderItems may have the Offer."""
    if offer.min_quantity <= 1 and offer.max_quantity is None:
        return None
    return messages.QuantitativeValue(min_value=offer.min_quantity, max_value=offer.max_quantity)


def _duration(value: Any) -> str | None:
    return None if value is None else write_duration(value)
