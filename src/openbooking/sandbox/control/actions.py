"""The actions of a Seller that a Broker's developer asks for, as JSON or TOML."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

_LONGEST_WAIT = 366 * 86_400
Text = Annotated[str, Meta(max_length=10_000)]
Numbers = Annotated[tuple[int, ...], Meta(max_length=1_000)]


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="do"):
    """The base of all actions.

    Attributes:
        after_seconds: The seconds on the clock of the sandbox after which the action is done; 0 for at once.
    """

    after_seconds: Annotated[float, Meta(ge=0, le=_LONGEST_WAIT)] = 0


class OrderAction(Action, frozen=True, kw_only=True):
    """The base of actions on an Order or OrderProposal.

    Attributes:
        order: The UUID, the `@id` or `PARTNER/UUID`; empty for the Order or proposal that was booked last.
    """

    order: Text = ""


class ItemAction(OrderAction, frozen=True, kw_only=True):
    """The base of actions on items of an Order.

    Attributes:
        items: The numbers of the items; empty for all.
    """

    items: Numbers = ()


class OpportunityAction(Action, frozen=True, kw_only=True):
    """The base of actions on an Opportunity.

    Attributes:
        opportunity: The `@id` or the path; empty for the first Opportunity of the last C1, C2, P or B.
    """

    opportunity: Text = ""


class PartnerAction(Action, frozen=True, kw_only=True):
    """The base of actions on the access of a Booking Partner.

    Attributes:
        partner: The key of the Booking Partner.
        seller: The key of the Seller whose grant is meant; empty for the grant that the partner has at the start.
    """

    partner: Text = "demo"
    seller: Text = ""


class Accept(OrderAction, frozen=True, kw_only=True, tag="accept"):
    """Accept an OrderProposal, with or without a note."""

    note: Text = ""


class Reject(OrderAction, frozen=True, kw_only=True, tag="reject"):
    """Reject an OrderProposal, with or without a note."""

    note: Text = ""


class Amend(OrderAction, frozen=True, kw_only=True, tag="amend"):
    """Offer a new version of an OrderProposal.

    Attributes:
        prices: The new prices, by the numbers of the items.
        without: The numbers of the items that the new version omits.
        note: A note to the Customer.
    """

    prices: dict[int, Decimal] = {}
    without: Numbers = ()
    note: Text = ""


class Write(OrderAction, frozen=True, kw_only=True, tag="write"):
    """Write a note to the Customer about an OrderProposal."""

    note: Text


class CancelItems(ItemAction, frozen=True, kw_only=True, tag="cancel"):
    """Cancel items of an Order, with or without a message."""

    message: Text = ""


class NotifyCustomer(ItemAction, frozen=True, kw_only=True, tag="notify"):
    """Send a notice to the Customer."""

    notice: Text


class Attend(ItemAction, frozen=True, kw_only=True, tag="attend"):
    """Record that the attendees came, or did not come."""

    attended: bool = True


class RenewAccessOf(ItemAction, frozen=True, kw_only=True, tag="renew-access"):
    """Replace the access codes, passes and channels of items."""


class ReplaceItem(OrderAction, frozen=True, kw_only=True, tag="replace"):
    """Replace the Opportunity of an item by a copy of it.

    Attributes:
        item: The number of the item.
    """

    item: int = 1


class CancelWhole(OpportunityAction, frozen=True, kw_only=True, tag="cancel-opportunity"):
    """Cancel an Opportunity with all its bookings."""

    message: Text = ""


class Move(OpportunityAction, frozen=True, kw_only=True, tag="move"):
    """Change the time, name or place of an Opportunity.

    Attributes:
        minutes: By how many minutes start and end are moved.
        name: The new name.
        place: The name of the new place.
    """

    minutes: Annotated[int, Meta(ge=-100_000, le=100_000)] = 0
    name: Text = ""
    place: Text = ""


class SellOut(OpportunityAction, frozen=True, kw_only=True, tag="sell-out"):
    """Sell all spaces that are left to another Broker."""


class Unpublish(OpportunityAction, frozen=True, kw_only=True, tag="unpublish"):
    """Take an Opportunity off sale."""


class PublishAgain(OpportunityAction, frozen=True, kw_only=True, tag="publish"):
    """Put an Opportunity on sale again."""


class Revoke(PartnerAction, frozen=True, kw_only=True, tag="revoke"):
    """Revoke the access of a Booking Partner: its Orders leave its feed, and it cannot book any more."""


class Suspend(PartnerAction, frozen=True, kw_only=True, tag="suspend"):
    """Suspend a Booking Partner: it cannot book, and its Orders feed continues."""


class ReplaceKey(Action, frozen=True, kw_only=True, tag="new-key"):
    """Give a Booking Partner a new API key, and refuse its old key at once.

    Attributes:
        partner: The key of the Booking Partner.
    """

    partner: Text = "demo"


class Allow(PartnerAction, frozen=True, kw_only=True, tag="allow"):
    """Allow the access of a Booking Partner again, after it was revoked or suspended."""


AnyAction = (
    Accept
    | Reject
    | Amend
    | Write
    | CancelItems
    | NotifyCustomer
    | Attend
    | RenewAccessOf
    | ReplaceItem
    | CancelWhole
    | Move
    | SellOut
    | Unpublish
    | PublishAgain
    | Revoke
    | Suspend
    | ReplaceKey
    | Allow
)


def tag_of(action: Action) -> str:
    """Return the name of an action."""
    return str(type(action).__struct_config__.tag)
