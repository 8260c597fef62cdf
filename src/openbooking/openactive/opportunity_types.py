"""The table of Opportunity types: feed, dates, capacity, parents and JSON-LD properties of each type (MOD, OB 8.1).

To add a type, add a row. Other modules read the row of a type, and have no branches for single types.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Self

from openbooking.openactive.opportunity_row import CapacityProperties, Dates, ParentRow, Row
from openbooking.openactive.terms import OPENACTIVE, SCHEMA

_ATTENDEES = CapacityProperties("maximumAttendeeCapacity", "remainingAttendeeCapacity")
_USES = CapacityProperties("maximumUses", "remainingUses")
_EXPECTED_OF_EVENT = ("name", "url", "location", "activity")
_EXPECTED_OF_FACILITY = ("name", "url", "location", "facilityType")


class OpportunityType(StrEnum):
    """The types of Opportunities and of their parents, each with its row.

    The value of a member is the type's name in JSON-LD and in stored documents.
    """

    row: Row

    def __new__(cls, name: str, row: Row) -> Self:
        """Make the member from its name and its row."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.row = row
        return member

    SESSION_SERIES = (
        "SessionSeries",
        Row(
            vocabulary=OPENACTIVE,
            collection="session-series",
            feed="session-series",
            rpde_kinds=(),
            bookable=False,
            dates=Dates.NONE,
            capacity=None,
            has_status=False,
            seller_property="organizer",
            parent=None,
            max_spaces_of_child=None,
            has_parts=False,
            excluded=("superEvent",),
            expected=(*_EXPECTED_OF_EVENT, "eventSchedule", "offers"),
        ),
    )
    SCHEDULED_SESSION = (
        "ScheduledSession",
        Row(
            vocabulary=OPENACTIVE,
            collection="scheduled-sessions",
            feed="scheduled-sessions",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.TIMES,
            capacity=_ATTENDEES,
            has_status=True,
            seller_property="organizer",
            parent=ParentRow(
                types=("SessionSeries",),
                property="superEvent",
                child_property="subEvent",
                required=True,
                embedded=False,
                gives_offers=True,
                gives_dates=False,
                gives_description=False,
            ),
            max_spaces_of_child=None,
            has_parts=False,
            excluded=("eventSchedule", "subEvent"),
            expected=(),
        ),
    )
    FACILITY_USE = (
        "FacilityUse",
        Row(
            vocabulary=OPENACTIVE,
            collection="facility-uses",
            feed="facility-uses",
            rpde_kinds=(),
            bookable=False,
            dates=Dates.NONE,
            capacity=None,
            has_status=False,
            seller_property="provider",
            parent=None,
            max_spaces_of_child=None,
            has_parts=False,
            excluded=(),
            expected=_EXPECTED_OF_FACILITY,
        ),
    )
    INDIVIDUAL_FACILITY_USE = (
        "IndividualFacilityUse",
        Row(
            vocabulary=OPENACTIVE,
            collection="individual-facility-uses",
            feed="individual-facility-uses",
            rpde_kinds=(),
            bookable=False,
            dates=Dates.NONE,
            capacity=None,
            has_status=False,
            seller_property="provider",
            parent=ParentRow(
                types=("FacilityUse",),
                property="aggregateFacilityUse",
                child_property="individualFacilityUse",
                required=False,
                embedded=True,
                gives_offers=False,
                gives_dates=False,
                gives_description=False,
            ),
            max_spaces_of_child=1,
            has_parts=False,
            excluded=(),
            expected=_EXPECTED_OF_FACILITY,
        ),
    )
    SLOT = (
        "Slot",
        Row(
            vocabulary=OPENACTIVE,
            collection="slots",
            feed="slots",
            rpde_kinds=("FacilityUse/Slot", "IndividualFacilityUse/Slot"),
            bookable=True,
            dates=Dates.TIMES,
            capacity=_USES,
            has_status=False,
            seller_property="provider",
            parent=ParentRow(
                types=("FacilityUse", "IndividualFacilityUse"),
                property="facilityUse",
                child_property="event",
                required=True,
                embedded=False,
                gives_offers=False,
                gives_dates=False,
                gives_description=True,
            ),
            max_spaces_of_child=None,
            has_parts=False,
            excluded=(),
            expected=("duration", "offers"),
        ),
    )
    EVENT = (
        "Event",
        Row(
            vocabulary=SCHEMA,
            collection="events",
            feed="events",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.TIMES,
            capacity=_ATTENDEES,
            has_status=True,
            seller_property="organizer",
            parent=ParentRow(
                types=("HeadlineEvent", "CourseInstance"),
                property="superEvent",
                child_property="subEvent",
                required=False,
                embedded=True,
                gives_offers=False,
                gives_dates=True,
                gives_description=False,
            ),
            max_spaces_of_child=None,
            has_parts=False,
            excluded=("eventSchedule", "subEvent"),
            expected=(*_EXPECTED_OF_EVENT, "offers"),
        ),
    )
    HEADLINE_EVENT = (
        "HeadlineEvent",
        Row(
            vocabulary=OPENACTIVE,
            collection="headline-events",
            feed="events",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.TIMES,
            capacity=_ATTENDEES,
            has_status=True,
            seller_property="organizer",
            parent=None,
            max_spaces_of_child=None,
            has_parts=True,
            excluded=("superEvent", "eventSchedule"),
            expected=_EXPECTED_OF_EVENT,
        ),
    )
    COURSE_INSTANCE = (
        "CourseInstance",
        Row(
            vocabulary=SCHEMA,
            collection="course-instances",
            feed="events",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.DAYS,
            capacity=_ATTENDEES,
            has_status=True,
            seller_property="organizer",
            parent=None,
            max_spaces_of_child=None,
            has_parts=True,
            excluded=("superEvent",),
            expected=(*_EXPECTED_OF_EVENT, "endDate", "eventSchedule", "offers"),
        ),
    )
    ON_DEMAND_EVENT = (
        "OnDemandEvent",
        Row(
            vocabulary=SCHEMA,
            collection="on-demand-events",
            feed="on-demand-events",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.NONE,
            capacity=None,
            has_status=False,
            seller_property="organizer",
            parent=None,
            max_spaces_of_child=None,
            has_parts=False,
            excluded=("location", "eventSchedule", "subEvent"),
            expected=("name", "url", "activity", "offers"),
        ),
    )

    @property
    def collection(self) -> str:
        """The first segment of the paths of items of this type (see `ids.py`)."""
        return self.row.collection

    @property
    def feed(self) -> str:
        """The name of the open feed that publishes items of this type."""
        return self.row.feed

    @property
    def uri(self) -> str:
        """The URI of this type."""
        return self.row.vocabulary + self

    @property
    def bookable(self) -> bool:
        """Whether Customers book items of this type (OB-BKBL-03)."""
        return self.row.bookable

    @cached_property
    def is_dated(self) -> bool:
        """Whether items of this type are bookable and have a date."""
        return self.row.bookable and self.row.dates is not Dates.NONE

    @cached_property
    def at_any_time(self) -> bool:
        """Whether items of this type are bookable, have no date and have unlimited spaces."""
        return self.row.bookable and self.row.dates is Dates.NONE

    @cached_property
    def is_facility(self) -> bool:
        """Whether items of this type are facilities or Slots; otherwise they are events."""
        return self.row.seller_property == "provider"

    @cached_property
    def inherits_offers(self) -> bool:
        """Whether an item of this type without Offers is sold at the Offers of its parent (OB-BKBL-31)."""
        return self.row.parent is not None and self.row.parent.gives_offers

    @cached_property
    def needs_parent(self) -> bool:
        """Whether items of this type cannot be sold without a parent."""
        return self.row.parent is not None and self.row.parent.required

    @property
    def shows_seller(self) -> bool:
        """Whether feeds show the Seller on items of this type; otherwise they show the Seller only on the parent."""
        return not self.needs_parent

    @cached_property
    def embeds_parent(self) -> bool:
        """Whether feeds embed the parent in items of this type."""
        return self.row.parent is not None and self.row.parent.embedded

    @property
    def parent_property(self) -> str | None:
        """The property that names the parent of an item; None for types without parents."""
        return self.row.parent.property if self.row.parent else None

    @cached_property
    def parents(self) -> tuple["OpportunityType", ...]:
        """The types that the parent of an item may have."""
        return tuple(TYPE_OF_NAME[name] for name in self.row.parent.types) if self.row.parent else ()

    @cached_property
    def children(self) -> Mapping[str, tuple["OpportunityType", ...]]:
        """The types of the children of an item, by the property that embeds the children."""
        found: dict[str, tuple[OpportunityType, ...]] = {}
        for child in OpportunityType:
            if child.row.parent and self in child.row.parent.types:
                property_ = child.row.parent.child_property
                found[property_] = (*found.get(property_, ()), child)
        return found

    @cached_property
    def has_children(self) -> bool:
        """Whether items of this type can have children."""
        return bool(self.children)

    @cached_property
    def embedded(self) -> bool:
        """Whether feeds embed items of this type in their children."""
        return any(child.embeds_parent for children in self.children.values() for child in children)

    @cached_property
    def gives_offers(self) -> bool:
        """Whether children without Offers are sold at the Offers of their parent of this type (OB-BKBL-31)."""
        return any(child.inherits_offers for children in self.children.values() for child in children)

    @cached_property
    def depth(self) -> int:
        """The most levels of parents that an item can have. Parents are published before their children."""
        return max((parent.depth + 1 for parent in self.parents), default=0)


TYPE_OF_NAME: Mapping[str, OpportunityType] = {str(type_): type_ for type_ in OpportunityType}
TYPE_OF_COLLECTION: Mapping[str, OpportunityType] = {type_.collection: type_ for type_ in OpportunityType}
# The names of the open feeds. Several types may share a feed.
OPEN_FEEDS = tuple(sorted({type_.feed for type_ in OpportunityType}))
PARENT_PROPERTIES = frozenset(type_.row.parent.property for type_ in OpportunityType if type_.row.parent)
CHILD_PROPERTIES = frozenset(type_.row.parent.child_property for type_ in OpportunityType if type_.row.parent)
_CAPACITIES = frozenset(type_.row.capacity for type_ in OpportunityType if type_.row.capacity)
REMAINING_PROPERTIES = frozenset(capacity.remaining for capacity in _CAPACITIES)
CAPACITY_PROPERTIES = frozenset(name for capacity in _CAPACITIES for name in capacity)
