"""The shape of a row in the table of Opportunity types (`opportunity_types.py`).

No attribute has a default, so that a row cannot leave one out.
"""

from enum import Enum
from typing import NamedTuple

import msgspec


class Dates(Enum):
    """How items of a type are dated."""

    NONE = "none"
    DAYS = "days"
    TIMES = "times"


class CapacityProperties(NamedTuple):
    """The properties that state the capacity of an item, and the spaces that are left of it."""

    maximum: str
    remaining: str


class ParentRow(msgspec.Struct, frozen=True, kw_only=True):
    """What code knows about the parents of a type.

    Attributes:
        types: The types that a parent may have, by name.
        property: The property of an item that names its parent.
        child_property: The property of a parent that embeds items of this type.
        required: Whether an item cannot be sold without a parent. Feeds then show the Seller with the parent alone.
        embedded: Whether feeds embed the parent in the item; otherwise the item names its parent by `@id` alone.
        gives_offers: Whether an item without Offers is sold at the Offers of its parent (OB-BKBL-31). Such a parent
            describes each of its children, so that its maximum capacity is theirs too.
        gives_dates: Whether an item without a start takes place when its parent does.
        gives_description: Whether name and location of an item are those of its parent.
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
    """What code knows about one type.

    Attributes:
        vocabulary: The namespace of the type's URI.
        collection: The path segment under which items are identified.
        feed: The collection in whose feed items are published (AMB-46).
        rpde_kinds: Names that feeds use as RPDE `kind`, besides the name of the type.
        bookable: Whether Customers book items of this type (OB-BKBL-03). Other types are only parents of these.
        dates: How items are dated, as far as bookability depends on it.
        capacity: The properties that state capacity and spaces left; None for types without a capacity.
        has_status: Whether items have an `eventStatus`.
        seller_property: The property that names the Seller.
        parent: The parents that items have; None for types without parents.
        max_spaces_of_child: The spaces that each child has at most; None for no limit (OB-BKBL-33).
        has_parts: Whether an item is sold as a whole. Of its children, those with Offers are sold separately too.
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
