"""The terms between a Seller and a Booking Partner: options of `openbooking partner grant`."""

from typing import Annotated

import typer

from openbooking.identity.partners.term_changes import ClearableTerm

OfferOverrides = Annotated[
    bool | None,
    typer.Option(help="Whether it may name prices of its own. OPENBOOKING_OFFER_OVERRIDES must allow it."),
]
DynamicAccount = Annotated[
    list[str] | None,
    typer.Option(
        help="An accountId with which it may book without a price. OPENBOOKING_DYNAMIC_ACCOUNTS must allow it."
    ),
]
Venue = Annotated[
    list[str] | None,
    typer.Option(help="Let it book at this venue only: the @id or identifier of a location, else 'Name, Postcode'."),
]
Activity = Annotated[
    list[str] | None, typer.Option(help="Let it book this activity only: the @id of a concept, else its prefLabel.")
]
OfferName = Annotated[
    list[str] | None,
    typer.Option("--offer", help="Let it book at this Offer only: its @id, or as session-series/KEY#/offers/KEY."),
]
OpenQuotes = Annotated[int | None, typer.Option(min=0, help="How many OrderQuotes it may have that hold spaces.")]
OpenProposals = Annotated[int | None, typer.Option(min=0, help="How many OrderProposals it may have that hold spaces.")]
Clear = Annotated[list[ClearableTerm] | None, typer.Option(help="A term to take out; may be repeated.")]
