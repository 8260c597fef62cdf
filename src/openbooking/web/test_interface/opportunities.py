"""Opportunities that meet the criteria of the test interface (table TI-C), each with its own parents."""

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
    """The properties of an Opportunity to make; the defaults are bookable. Without a `price` the price is random."""

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
    """Return the recipe for a criterion and a booking flow, given by their URIs (OB-TI-09, OB-TI-11)."""
    recipe = RECIPES.get(criterion.removeprefix(VOCABULARY))
    if recipe is None:
        raise OpenBookingError(f"No opportunity can be made for {criterion}.")
    if flow == _APPROVAL_FLOW and not recipe.flow:
        recipe = replace(recipe, flow=(FlowRequirement.APPROVAL,))
    if recipe.price is None:
        recipe = replace(recipe, price=random.choice((_FREE, _PAID)))  # noqa: S311 - not a secret
    return recipe


class Maker:
    """Makes Opportunities by a recipe, for a Seller and a source, with times relative to now."""

    def __init__(self, recipe: Recipe, seller: str, source: str, now: datetime) -> None:
        self._recipe = recipe
        self._seller = seller
        self._source = source
        self._starts = now.replace(microsecond=0) + recipe.starts_in

    def make(self, type_name: str, parent_name: str | None) -> list[Opportunity]:
        """Return an Opportunity of these types, last, after its own parents."""
        type_, parent_type = TYPE_OF_NAME.get(type_name), TYPE_OF_NAME.get(parent_name or "")
        if type_ is None or not type_.bookable or not _can_be_made_in(type_, parent_type):
            raise OpenBookingError(f"No opportunity of type {type_name} in {parent_name} can be made.")
        parents = self._parents(parent_type) if parent_type else []
        return [*parents, self._bookable(type_, parents[-1] if parents else None)]

    def _parents(self, type_: OpportunityType) -> list[Opportunity]:
        """Return a parent of this type, after its own parent if it needs one."""
        parent = self._thing(type_)
        if type_.gives_offers:
            return [replace(parent, properties=self._event(parent), offers=(self._offer(parent.path),))]
        if type_.is_facility and type_.parents:
            facilities = self._parents(type_.parents[0])
            return [*facilities, replace(parent, parent=facilities[-1].path, properties={"name": "Court 1"})]
        if type_.is_facility:
            return [replace(parent, properties=_described(parent) | {"facilityType": [_FACILITY_TYPE]})]
        # A bookable parent would be a second Opportunity that meets the criterion.
        unbookable = replace(self._offer(parent.path), price=_FREE, currency=None, in_advance=Availability.UNAVAILABLE)
        unbookable = replace(unbookable, prepayment=None)
        return [self._dated(replace(parent, properties=self._event(parent), offers=(unbookable,)))]

    def _bookable(self, type_: OpportunityType, parent: Opportunity | None) -> Opportunity:
        """Return the Opportunity itself."""
        online = self._recipe.online and not type_.is_facility
        made = replace(self._thing(type_), parent=parent.path if parent else None, access=_access(online=online))
        if not type_.at_any_time:
            made = self._dated(replace(made, capacity=self._recipe.capacity))
        if not type_.inherits_offers:
            made = replace(made, offers=(self._offer(made.path),))
        if type_.needs_parent:
            return made
        return replace(made, properties=self._event(made))

    def _thing(self, type_: OpportunityType) -> Opportunity:
        path = opportunity_path(type_, uuid.uuid4().hex)
        return Opportunity(path=path, type=type_, seller=self._seller, source=self._source)

    def _event(self, thing: Opportunity) -> dict[str, Any]:
        described = _described(thing) | {"activity": [_ACTIVITY]}
        if "location" in thing.type.row.excluded:
            del described["location"]
            return described
        if "eventSchedule" in thing.type.row.expected:
            described["eventSchedule"] = [_SCHEDULE]
        mode = "Mixed" if self._recipe.online else "Offline"
        return described | {"eventAttendanceMode": f"{SCHEMA}{mode}EventAttendanceMode"}

    def _dated(self, thing: Opportunity) -> Opportunity:
        """Return the end: an Opportunity that starts in the past has ended too."""
        row = thing.type.row
        length = _DAYS if row.dates is Dates.DAYS else _WITH_PARTS if row.has_parts else _AN_HOUR
        start = self._starts if self._recipe.starts_in > timedelta() else self._starts - length
        return replace(thing, start=start, end=start + length)

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


def _described(thing: Opportunity) -> dict[str, Any]:
    url = f"https://example.com/{thing.path}"
    return {"name": f"Test {thing.type}", "url": url, "location": PLACE}


def _access(*, online: bool) -> AccessRules:
    """Return how Customers get in: a channel if online; else a code, a picture and a barcode."""
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
