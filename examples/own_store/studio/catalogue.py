"""Publishes the studio's classes and courts, as they are in its tables: `python -m studio.catalogue`."""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbooking import (
    Actor,
    ActorKind,
    CancelOpportunity,
    FindBySource,
    Offer,
    Opportunity,
    OpportunityType,
    Publish,
    PublishSeller,
    Seller,
    Store,
    TaxMode,
    Withdraw,
    load_settings,
    open_system,
    opportunity_path,
)
from studio.database import Database

STUDIO = Seller(
    key="studio",
    name="Pine Studio",
    legal_name="Pine Studio Ltd",
    tax_mode=TaxMode.GROSS,
    properties={"url": "https://studio.example.com/"},
)
TABLES = Actor(ActorKind.SYSTEM, "studio tables")
# Opportunities with this source are withdrawn when their rows are gone. Those of the console have other sources.
SOURCE = "studio tables"
PLACE = {
    "@type": "Place",
    "name": "Pine Studio",
    "address": {"@type": "PostalAddress", "streetAddress": "1 High Street", "postalCode": "TE5 7AB"},
    "geo": {"@type": "GeoCoordinates", "latitude": 51.75, "longitude": -1.25},
}
YOGA = {
    "@type": "Concept",
    "@id": "https://openactive.io/activity-list#bf1a5e00-cdcf-465d-8c5a-6f57040b7f7e",
    "prefLabel": "Yoga",
    "inScheme": "https://openactive.io/activity-list",
}
BADMINTON = {
    "@type": "Concept",
    "@id": "https://openactive.io/facility-types#bba8ae0f-f152-4a88-be8e-e8e4d8a4a2b1",
    "prefLabel": "Badminton Court",
    "inScheme": "https://openactive.io/facility-types",
}


async def publish_catalogue(store: Store, studio: Database) -> None:
    """Publish all classes and courts, and withdraw those whose rows are gone.

    What has not changed is not published again, so this may run often.
    """
    await store.execute(PublishSeller(STUDIO, actor=TABLES))
    published: set[str] = set()
    for row in await studio.run("SELECT id, name, price_pence FROM classes"):
        statement = "SELECT id, starts, minutes, spaces FROM class_dates WHERE class_id = $1"
        dates = await studio.run(statement, row[0])
        published |= await publish(store, class_with_dates(*row, dates))
    for row in await studio.run("SELECT id, name, price_pence FROM courts"):
        hours = await studio.run("SELECT id, starts FROM court_hours WHERE court_id = $1", row[0])
        published |= await publish(store, court_with_hours(*row, hours))
    await withdraw_others(store, published)


async def publish(store: Store, family: Iterator[Opportunity]) -> set[str]:
    """Publish Opportunities, and return their paths."""
    opportunities = tuple(replace(opportunity, source=SOURCE) for opportunity in family)
    await store.execute(Publish(opportunities, actor=TABLES))
    return {opportunity.path for opportunity in opportunities}


async def withdraw_others(store: Store, kept: set[str]) -> None:
    """Withdraw the published Opportunities without a row. Bookings of those that have not begun are cancelled first."""
    known = await store.execute(FindBySource(frozenset({SOURCE}), actor=TABLES))
    gone = {path: opportunity for path, opportunity in known.items() if path not in kept}
    for path, opportunity in gone.items():
        if opportunity.start and opportunity.start > datetime.now(UTC) and opportunity.takes_place:
            await store.execute(CancelOpportunity(opportunity=path, message="The studio has cancelled.", actor=TABLES))
    if gone:
        await store.execute(Withdraw(sources=frozenset({SOURCE}), keep=frozenset(kept), actor=TABLES))


def class_with_dates(key: int, name: str, pence: int, dates: list[tuple[int, str, int, int]]) -> Iterator[Opportunity]:
    """Yield the SessionSeries of a class, and a ScheduledSession for each date."""
    series = opportunity_path(OpportunityType.SESSION_SERIES, str(key))
    yield Opportunity(
        path=series,
        type=OpportunityType.SESSION_SERIES,
        seller=STUDIO.key,
        offers=(offer(series, pence),),
        properties={"name": name, "location": PLACE, "activity": [YOGA]},
    )
    for date, starts, minutes, spaces in dates:
        start = datetime.fromisoformat(starts)
        yield Opportunity(
            path=opportunity_path(OpportunityType.SCHEDULED_SESSION, str(date)),
            type=OpportunityType.SCHEDULED_SESSION,
            seller=STUDIO.key,
            parent=series,
            start=start,
            end=start + timedelta(minutes=minutes),
            capacity=spaces,
        )


def court_with_hours(key: int, name: str, pence: int, hours: list[tuple[int, str]]) -> Iterator[Opportunity]:
    """Yield the FacilityUse of a court, and a Slot for each hour."""
    court = opportunity_path(OpportunityType.FACILITY_USE, str(key))
    yield Opportunity(
        path=court,
        type=OpportunityType.FACILITY_USE,
        seller=STUDIO.key,
        properties={"name": name, "location": PLACE, "facilityType": [BADMINTON]},
    )
    for hour, starts in hours:
        slot = opportunity_path(OpportunityType.SLOT, str(hour))
        start = datetime.fromisoformat(starts)
        yield Opportunity(
            path=slot,
            type=OpportunityType.SLOT,
            seller=STUDIO.key,
            parent=court,
            start=start,
            end=start + timedelta(hours=1),
            capacity=1,
            offers=(offer(slot, pence),),
        )


def offer(owner: str, pence: int) -> Offer:
    """Return the Offer for one space."""
    return Offer(
        key="adult",
        owner=owner,
        name="Adult",
        price=Decimal(pence) / 100,
        currency="GBP" if pence else None,
        full_refund_on_cancellation=True,
    )


async def main() -> None:
    """Publish the catalogue of the database that the variable STUDIO_DATABASE names."""
    studio = Database(os.environ["STUDIO_DATABASE"])
    async with open_system(load_settings(database=studio.of_openbooking), serves=False) as system:
        await publish_catalogue(system.store, studio)


if __name__ == "__main__":
    asyncio.run(main())
