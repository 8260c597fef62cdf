"""The shape of a row in the table of Opportunity types (`opportunity_types.py`).

No attribute has a default, so that a row without one of the attributes raises TypeError.
"""

from enum import Enum
from typing import NamedTuple

import msgspec


class Dates(Enum):
    """Whether items of a type have no date, dates without times, or dates with times."""

    NONE = "none"
    DAYS = "days"
    TIMES = "times"


class CapacityProperties(NamedTuple):
    """The names of the properties that state the capacity of an item and its spaces left."""

    maximum: str
    remaining: str


class ParentRow(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of the link between a type and its parents.

    Attributes:
        types: The types that a parent may have, by name.
        property: The property of an item that names its parent.
        child_property: The property of a parent that embeds items of this type.
        required: Whether an item cannot be sold without a parent. If true, feeds show the Seller only on the parent.
        embedded: Whether feeds embed the parent in the item; otherwise the item names its parent by `@id`.
        gives_offers: Whether an item without Offers is sold at the Offers of its parent (OB-BKBL-31). The maximum
            capacity of such a parent applies to each child.
        gives_dates: Whether an item without a start takes place when its parent does.
        gives_description: Whether an item takes its name and location from its parent.
    """

    types: tuple[str, ...]
    property: str
    child_property: str
    required: bool
    embedded: bool
    gives_offers: bool
    gives_dates: bool
    gives_description: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of one type of Opportunity, by which all other code treats items of the type.

    Attributes:
        vocabulary: The namespace of the type's URI.
        collection: The path segment under which items are identified.
        feed: The name of the open feed that publishes the items (AMB-46): the `collection` of this or another type.
        rpde_kinds: RPDE `kind`s that feeds use for the type, besides its name.
        bookable: Whether Customers book items of this type (OB-BKBL-03). Types that are not bookable are parents.
        dates: How items are dated, as far as bookability depends on it.
        capacity: The properties that state capacity and spaces left; None for types without a capacity.
        has_status: Whether items have an `eventStatus`.
        seller_property: The property that names the Seller.
        parent: The link to the parents of items; None for types without parents.
        max_spaces_of_child: The most spaces that one child can have (OB-BKBL-33); None for no limit.
        has_parts: Whether an item is sold as a whole, and those of its children that have Offers are sold separately.
        excluded: Properties that items cannot have.
        expected: Properties that validators report if neither an item nor its parents have them.
    """

    vocabulary: str
    collection: str
    feed: str
    rpde_kinds: tuple[str, ...]
    bookable: bool
    dates: Dates
    capacity: CapacityProperties | None
    has_status: bool
    seller_property: str
    parent: ParentRow | None
    max_spaces_of_child: int | None
    has_parts: bool
    excluded: tuple[str, ...]
    expected: tuple[str, ...]
