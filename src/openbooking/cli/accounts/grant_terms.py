"""The options of `openbooking partner grant` for the terms of a grant."""

from typing import Annotated

import typer

from openbooking.identity.partners.term_changes import ClearableTerm

OfferOverrides = Annotated[
    bool | None,
    typer.Option(help="Whether the partner may set its own prices. Needs OPENBOOKING_OFFER_OVERRIDES."),
]
DynamicAccount = Annotated[
    list[str] | None,
    typer.Option(
        help="An accountId with which the partner may book without a price. Needs the setting dynamic_accounts."
    ),
]
Venue = Annotated[
    list[str] | None,
    typer.Option(help="Allow only this venue: the @id or identifier of a location, else 'Name, Postcode'."),
]
Activity = Annotated[
    list[str] | None, typer.Option(help="Allow only this activity: the @id of a concept, else its prefLabel.")
]
OfferName = Annotated[
    list[str] | None,
    typer.Option("--offer", help="Allow only this Offer: its @id, or as session-series/KEY#/offers/KEY."),
]
OpenQuotes = Annotated[
    int | None, typer.Option(min=0, help="The most OrderQuotes of the partner that may hold spaces.")
]
OpenProposals = Annotated[
    int | None, typer.Option(min=0, help="The most OrderProposals of the partner that may hold spaces.")
]
Clear = Annotated[list[ClearableTerm] | None, typer.Option(help="A term to remove; may be repeated.")]
