"""Makes Opportunities that meet the criteria of the test interface (table TI-C), each with parents of its own.

`RECIPES` says for each criterion which properties an Opportunity gets.
"""

import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import AccessRules, FormField, Offer, Opportunity
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import TYPE_OF_NAME, OpportunityType
from openbooking.openactive.terms import OPENACTIVE, SCHEMA, Availability, FlowRequirement, FormFieldType

VOCABULARY = f"{OPENACTIVE}test-interface#"
_APPROVAL_FLOW = f"{VOCABULARY}OpenBookingApprovalFlow"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of an Opportunity to make. The defaults make a bookable Opportunity with a random price."""

    starts_in: timedelta = timedelta(days=5)
    capacity: int = 20
    price: Decimal | None = None
    prepayment: Availability | None = None
    valid_from_before_start: timedelta | None = None
    latest_cancellation_before_start: timedelta | None = None
    full_refund_on_cancellation: bool = True
    flow: tuple[FlowRequirement, ...] = ()
    attendee_details: tuple[str, ...] = ()
    intake_form: tuple[FormField, ...] = ()
    online: bool = False


_FREE = Decimal("0.00")
_PAID = Decimal("14.95")
_BEFORE_NOW = timedelta(days=30)
_AFTER_NOW = timedelta(hours=6)
_FORM = (
    FormField(
        key="experience",
        type=FormFieldType.SHORT_ANSWER,
        name="Level of experience",
        description="Have you played before? Are you a complete beginner or seasoned pro?",
        required=True,
    ),
    FormField(
        key="age",
        type=FormFieldType.DROPDOWN,
        name="Age group",
        description="How old are you?",
        required=True,
        options=("0-18", "18-30", "30+"),
    ),
    FormField(
        key="photo",
        type=FormFieldType.BOOLEAN,
        name="Photo consent",
        description="Are you happy for us to include photos of you in our marketing materials?",
    ),
    FormField(key="story", type=FormFieldType.PARAGRAPH, name="Your story", description="What brings you here?"),
)

RECIPES: dict[str, Recipe] = {
    "TestOpportunityBookable": Recipe(),
    "TestOpportunityBookableInPast": Recipe(starts_in=timedelta(days=-5)),
    "TestOpportunityBookableNoSpaces": Recipe(capacity=0),
    "TestOpportunityBookableOneSpace": Recipe(capacity=1),
    "TestOpportunityBookableFiveSpaces": Recipe(capacity=5),
    "TestOpportunityBookableFree": Recipe(price=_FREE),
    "TestOpportunityBookableNonFree": Recipe(price=_PAID),
    "TestOpportunityBookableUsingPayment": Recipe(price=_PAID),
    "TestOpportunityBookableWithinValidFromBeforeStartDate": Recipe(valid_from_before_start=_BEFORE_NOW),
    "TestOpportunityBookableOutsideValidFromBeforeStartDate": Recipe(valid_from_before_start=_AFTER_NOW),
    "TestOpportunityBookableWithinValidFromBeforeStartDateWindow": Recipe(valid_from_before_start=_BEFORE_NOW),
    "TestOpportunityBookableOutsideValidFromBeforeStartDateWindow": Recipe(valid_from_before_start=_AFTER_NOW),
    "TestOpportunityBookableCancellable": Recipe(),
    "TestOpportunityBookableCancellableNoWindow": Recipe(),
    "TestOpportunityBookableNotCancellable": Recipe(full_refund_on_cancellation=False),
    "TestOpportunityBookableCancellableWithinWindow": Recipe(latest_cancellation_before_start=_AFTER_NOW),
    "TestOpportunityBookableCancellableOutsideWindow": Recipe(latest_cancellation_before_start=_BEFORE_NOW),
    "TestOpportunityBookableFreeCancellable": Recipe(price=_FREE),
    "TestOpportunityBookableNonFreeCancellable": Recipe(price=_PAID),
    "TestOpportunityBookableAttendeeDetails": Recipe(
        attendee_details=(f"{SCHEMA}givenName", f"{SCHEMA}familyName", f"{SCHEMA}email")
    ),
    "TestOpportunityBookableAdditionalDetails": Recipe(intake_form=_FORM),
    "TestOpportunityBookableNonFreePrepaymentOptional": Recipe(price=_PAID, prepayment=Availability.OPTIONAL),
    "TestOpportunityBookableNonFreePrepaymentUnavailable": Recipe(price=_PAID, prepayment=Availability.UNAVAILABLE),
    "TestOpportunityBookableNonFreePrepaymentRequired": Recipe(price=_PAID),
    "TestOpportunityBookableNonFreeTaxGross": Recipe(price=_PAID),
    "TestOpportunityBookableNonFreeTaxNet": Recipe(price=_PAID),
    "TestOpportunityBookableSellerTermsOfService": Recipe(),
    "TestOpportunityBookableWithNegotiation": Recipe(flow=(FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)),
    "TestOpportunityOnlineBookable": Recipe(online=True),
    "TestOpportunityOfflineBookable": Recipe(),
}

_PICTURE = "https://example.com/pass/{code}.png"
PLACE: Mapping[str, Any] = {
    "@type": "Place",
    "name": "Test Leisure Centre",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "1 Test Street",
        "addressLocality": "Testford",
        "addressRegion": "Testshire",
        "postalCode": "TE5 7AB",
        "addressCountry": "GB",
    },
    "geo": {"@type": "GeoCoordinates", "latitude": 51.752022, "longitude": -1.257677},
}
_ACTIVITY: Mapping[str, Any] = {
    "@type": "Concept",
    "@id": f"{OPENACTIVE}activity-list#c07d63a0-8eb9-4602-8bcc-23be6deb8f83",
    "prefLabel": "Jet Skiing",
    "inScheme": f"{OPENACTIVE}activity-list",
}
_FACILITY_TYPE: Mapping[str, Any] = {
    "@type": "Concept",
    "@id": f"{OPENACTIVE}facility-types#a1f82b7a-1258-4d9a-8dc5-bfc2ae961651",
    "prefLabel": "Squash Court",
    "inScheme": f"{OPENACTIVE}facility-types",
}
_SCHEDULE: Mapping[str, Any] = {
    "@type": "PartialSchedule",
    "repeatFrequency": "P1W",
    "startTime": "19:15",
    "endTime": "20:15",
    "byDay": [f"{SCHEMA}Monday"],
}


_DAYS = timedelta(days=21)
_WITH_PARTS = timedelta(hours=50)
_AN_HOUR = timedelta(hours=1)


def recipe_for(criterion: str, flow: str | None) -> Recipe:
    """Return the recipe for a criterion and a booking flow (OB-TI-09, OB-TI-11).

    Args:
        criterion: The URI of the criterion.
        flow: The URI of the booking flow; None for any flow.

    Raises:
        OpenBookingError: The criterion is unknown.
    """
    recipe = RECIPES.get(criterion.removeprefix(VOCABULARY))
    if recipe is None:
        raise OpenBookingError(f"No Opportunity can be made for the criterion {criterion}.")
    if flow == _APPROVAL_FLOW and not recipe.flow:
        recipe = replace(recipe, flow=(FlowRequirement.APPROVAL,))
    if recipe.price is None:
        recipe = replace(recipe, price=random.choice((_FREE, _PAID)))  # noqa: S311 - not a secret
    return recipe


class OpportunityMaker:
    """Makes Opportunities by a recipe.

    Args:
        recipe: The recipe.
        seller: The key of the Seller.
        source: The source.
        now: The time, to which the times of the recipe are added.
    """

    def __init__(self, recipe: Recipe, seller: str, source: str, now: datetime) -> None:
        self._recipe = recipe
        self._seller = seller
        self._source = source
        self._starts = now.replace(microsecond=0) + recipe.starts_in

    def make(self, type_name: str, parent_name: str | None) -> list[Opportunity]:
        """Return an Opportunity and, before it, its parents.

        Args:
            type_name: The type of the Opportunity.
            parent_name: The type of its parent; None for no parent.

        Raises:
            OpenBookingError: A type is unknown, or the parent cannot be the parent of this type.
        """
        type_, parent_type = TYPE_OF_NAME.get(type_name), TYPE_OF_NAME.get(parent_name or "")
        if type_ is None or not type_.bookable or not _can_be_made_in(type_, parent_type):
            raise OpenBookingError(f"No Opportunity of type {type_name} in a {parent_name} can be made.")
        parents = self._make_parents(parent_type) if parent_type else []
        return [*parents, self._make_bookable(type_, parents[-1] if parents else None)]

    def _make_parents(self, type_: OpportunityType) -> list[Opportunity]:
        """Return a parent of this type and, before it, the parent of the parent if it needs one."""
        parent = self._make_bare(type_)
        if type_.gives_offers:
            return [replace(parent, properties=self._event_properties(parent), offers=(self._offer(parent.path),))]
        if type_.is_facility and type_.parents:
            facilities = self._make_parents(type_.parents[0])
            return [*facilities, replace(parent, parent=facilities[-1].path, properties={"name": "Court 1"})]
        if type_.is_facility:
            return [replace(parent, properties=_description(parent) | {"facilityType": [_FACILITY_TYPE]})]
        # If the parent were bookable, it would be a second Opportunity that meets the criterion.
        unbookable = replace(self._offer(parent.path), price=_FREE, currency=None, in_advance=Availability.UNAVAILABLE)
        unbookable = replace(unbookable, prepayment=None)
        return [self._add_dates(replace(parent, properties=self._event_properties(parent), offers=(unbookable,)))]

    def _make_bookable(self, type_: OpportunityType, parent: Opportunity | None) -> Opportunity:
        """Return the Opportunity that meets the criterion."""
        online = self._recipe.online and not type_.is_facility
        made = replace(self._make_bare(type_), parent=parent.path if parent else None, access=_access(online=online))
        if not type_.at_any_time:
            made = self._add_dates(replace(made, capacity=self._recipe.capacity))
        if not type_.inherits_offers:
            made = replace(made, offers=(self._offer(made.path),))
        if type_.needs_parent:
            return made
        return replace(made, properties=self._event_properties(made))

    def _make_bare(self, type_: OpportunityType) -> Opportunity:
        """Return an Opportunity of this type with a new path, and without further properties."""
        path = opportunity_path(type_, uuid.uuid4().hex)
        return Opportunity(path=path, type=type_, seller=self._seller, source=self._source)

    def _event_properties(self, opportunity: Opportunity) -> dict[str, Any]:
        described = _description(opportunity) | {"activity": [_ACTIVITY]}
        if "location" in opportunity.type.row.excluded:
            del described["location"]
            return described
        if "eventSchedule" in opportunity.type.row.expected:
            described["eventSchedule"] = [_SCHEDULE]
        mode = "Mixed" if self._recipe.online else "Offline"
        return described | {"eventAttendanceMode": f"{SCHEMA}{mode}EventAttendanceMode"}

    def _add_dates(self, opportunity: Opportunity) -> Opportunity:
        """Return the Opportunity with a start and an end. If the start is in the past, the end is in the past too."""
        row = opportunity.type.row
        length = _DAYS if row.dates is Dates.DAYS else _WITH_PARTS if row.has_parts else _AN_HOUR
        start = self._starts if self._recipe.starts_in > timedelta() else self._starts - length
        return replace(opportunity, start=start, end=start + length)

    def _offer(self, owner: str) -> Offer:
        price = self._recipe.price or _FREE
        return Offer(
            key="standard",
            owner=owner,
            name="Standard",
            price=price,
            currency="GBP" if price else None,
            prepayment=self._recipe.prepayment,
            valid_from_before_start=self._recipe.valid_from_before_start,
            latest_cancellation_before_start=self._recipe.latest_cancellation_before_start,
            full_refund_on_cancellation=self._recipe.full_refund_on_cancellation,
            flow=self._recipe.flow,
            attendee_details=self._recipe.attendee_details,
            intake_form=self._recipe.intake_form,
        )


def _can_be_made_in(type_: OpportunityType, parent_type: OpportunityType | None) -> bool:
    return not type_.needs_parent if parent_type is None else parent_type in type_.parents


def _description(opportunity: Opportunity) -> dict[str, Any]:
    url = f"https://example.com/{opportunity.path}"
    return {"name": f"Test {opportunity.type}", "url": url, "location": PLACE}


def _access(*, online: bool) -> AccessRules:
    """Return the access of attendees: an online channel, or a code, an image and a barcode."""
    if online:
        channel = {
            "@type": "VirtualLocation",
            "name": "Video conference",
            "url": "https://example.com/join/{code}",
            "accessId": "{code}",
            "accessCode": "{code}",
            "description": "Open the link five minutes before the start.",
        }
        return AccessRules(channel=channel)
    return AccessRules(code=True, pass_image=_PICTURE, barcode="code128")
