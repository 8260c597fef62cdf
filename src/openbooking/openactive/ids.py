"""Identifiers: makes and parses the `@id`s of Sellers, Opportunities, Offers, Orders and OrderItems (OB 11.3.1, 9.1).

| Identifier | Form below the Base URI |
|---|---|
| Seller | `identifiers/sellers/KEY`, or `identifiers/seller` in a single-seller system |
| Opportunity | `identifiers/COLLECTION/KEY` |
| Offer | `identifiers/COLLECTION/KEY#/offers/KEY` |
| question of an intake form | the `@id` of its Offer and `/fields/KEY` |
| Order, quote, proposal | `orders/UUID`, `order-quotes/UUID`, `order-proposals/UUID` |
| OrderItem | `orders/UUID#/orderedItem/NUMBER` |
| version of a proposal | `order-proposals/UUID/versions/UUID` |

The *path* of an Opportunity is `COLLECTION/KEY`, for example `scheduled-sessions/k7`. Stored documents refer to an
Opportunity by its path, so that they do not depend on the Base URI.
"""

import re
from typing import NamedTuple

from openbooking.openactive.opportunity_types import TYPE_OF_COLLECTION, OpportunityType
from openbooking.openactive.terms import OrderType

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY = r"[A-Za-z0-9._~-]{1,128}"
_OPPORTUNITY = re.compile(rf"(?P<collection>{'|'.join(TYPE_OF_COLLECTION)})/{_KEY}")
_OFFER = re.compile(rf"(?P<owner>.+)#/offers/(?P<key>{_KEY})")
_ORDER_ITEM = re.compile(r"(?P<collection>[a-z-]+)/(?P<uuid>[^/#]+)#/orderedItem/(?P<number>[1-9][0-9]{0,5})")
_SELLER = re.compile(rf"sellers/(?P<key>{_KEY})")


class OfferRef(NamedTuple):
    """A reference to an Offer: the path of the Opportunity that publishes the Offer, and the key of the Offer."""

    owner: str
    key: str


class FormFieldRef(NamedTuple):
    """A reference to a question in the intake form of an Offer: the Offer, and the key of the question."""

    offer: OfferRef
    key: str


class OrderItemRef(NamedTuple):
    """A reference to an OrderItem: the UUID of its Order, and the number of the item, counted from 1."""

    uuid: str
    number: int


def parse_uuid(text: str) -> str | None:
    """Return the UUID of an Order in lower case, or None if the text is not an RFC 4122 UUID (OB-ID-07)."""
    lowered = text.lower()
    return lowered if _UUID.fullmatch(lowered) else None


def is_key(text: str) -> bool:
    """Return whether the text can be a key, which is the last segment of an identifier."""
    return re.fullmatch(_KEY, text) is not None


def opportunity_path(type_: OpportunityType, key: str) -> str:
    """Return the path of an Opportunity from its type and key."""
    return f"{type_.collection}/{key}"


def type_of_path(path: str) -> OpportunityType:
    """Return the type of the Opportunity that a path identifies.

    Raises:
        KeyError: The path begins with no collection of Opportunities.
    """
    return TYPE_OF_COLLECTION[path.partition("/")[0]]


def is_opportunity_path(text: str) -> bool:
    """Return whether the text has the form of the path of an Opportunity."""
    return _OPPORTUNITY.fullmatch(text) is not None


def key_of(path: str) -> str:
    """Return the key of an Opportunity: the last segment of its path."""
    return path.rpartition("/")[2]


class Identifiers:
    """Makes and parses the `@id`s below one Base URI.

    Args:
        base_uri: The Base URI of the API.
        single_seller: The key of the only Seller of a single-seller system; None for a system with several Sellers.
    """

    def __init__(self, base_uri: str, single_seller: str | None = None) -> None:
        self.base_uri = base_uri.rstrip("/")
        self._prefix = f"{self.base_uri}/identifiers/"
        self._single_seller = single_seller

    def seller(self, key: str) -> str:
        """Return the `@id` of a Seller."""
        return f"{self._prefix}seller" if key == self._single_seller else f"{self._prefix}sellers/{key}"

    def parse_seller(self, uri: str) -> str | None:
        """Return the key in the `@id` of a Seller, or None if the URI does not have that form."""
        path = self._path(uri)
        if path == "seller":
            return self._single_seller
        found = _SELLER.fullmatch(path) if path else None
        return found["key"] if found else None

    def opportunity(self, path: str) -> str:
        """Return the `@id` of an Opportunity."""
        return self._prefix + path

    def parse_opportunity(self, uri: str) -> str | None:
        """Return the path in the `@id` of an Opportunity, or None if the URI does not have that form (OB-VAL-14)."""
        path = self._path(uri)
        return path if path and is_opportunity_path(path) else None

    def offer(self, ref: OfferRef) -> str:
        """Return the `@id` of an Offer."""
        return f"{self._prefix}{ref.owner}#/offers/{ref.key}"

    def parse_offer(self, uri: str) -> OfferRef | None:
        """Return the Offer that an `@id` names, or None if the URI does not have that form (OB-VAL-14)."""
        found = _OFFER.fullmatch(uri)
        owner = self.parse_opportunity(found["owner"]) if found else None
        return OfferRef(owner, found["key"]) if found and owner else None

    def form_field(self, ref: FormFieldRef) -> str:
        """Return the `@id` of a question in the intake form of an Offer."""
        return f"{self.offer(ref.offer)}/fields/{ref.key}"

    def parse_form_field(self, uri: str) -> FormFieldRef | None:
        """Return the question that an `@id` names, or None if the URI does not have that form."""
        offer_id, _, key = uri.rpartition("/fields/")
        offer = self.parse_offer(offer_id)
        return FormFieldRef(offer, key) if offer else None

    def order(self, type_: OrderType, uuid: str) -> str:
        """Return the `@id` of an OrderQuote, OrderProposal or Order (OB-ID-08)."""
        return f"{self.base_uri}/{type_.collection}/{uuid}"

    def proposal_version(self, uuid: str, version: str) -> str:
        """Return the `orderProposalVersion` of an OrderProposal (OB-ID-11)."""
        return f"{self.order(OrderType.PROPOSAL, uuid)}/versions/{version}"

    def parse_proposal_version(self, uri: str, uuid: str) -> str | None:
        """Return the UUID of the version that an `orderProposalVersion` names, or None if the URI has another form.

        Args:
            uri: The `orderProposalVersion`.
            uuid: The UUID of the OrderProposal.
        """
        prefix = self.proposal_version(uuid, "")
        return parse_uuid(uri.removeprefix(prefix)) if uri.startswith(prefix) else None

    def order_item(self, ref: OrderItemRef) -> str:
        """Return the `@id` of an OrderItem."""
        return f"{self.order(OrderType.ORDER, ref.uuid)}#/orderedItem/{ref.number}"

    def parse_order(self, uri: str, type_: OrderType = OrderType.ORDER) -> str | None:
        """Return the UUID in the `@id` of an Order of this type, or None if the URI does not have that form."""
        prefix = f"{self.base_uri}/{type_.collection}/"
        return parse_uuid(uri.removeprefix(prefix)) if uri.startswith(prefix) else None

    def parse_order_item(self, uri: str) -> OrderItemRef | None:
        """Return the OrderItem that an `@id` names, or None if the URI does not have that form."""
        if not uri.startswith(f"{self.base_uri}/"):
            return None
        found = _ORDER_ITEM.fullmatch(uri.removeprefix(f"{self.base_uri}/"))
        uuid = parse_uuid(found["uuid"]) if found and found["collection"] == OrderType.ORDER.collection else None
        return OrderItemRef(uuid, int(found["number"])) if found and uuid else None

    def _path(self, uri: str) -> str | None:
        return uri.removeprefix(self._prefix) if uri.startswith(self._prefix) else None
