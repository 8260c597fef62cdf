"""The data of the benchmarks: a Seller's classes, as varied as those of providers, and requests for them."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import msgspec

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.identity.digests import digest
from openbooking.identity.records import EVERY_SELLER, Grant, Partner
from openbooking.identity.scopes import Scope
from openbooking.openactive.ids import Identifiers, OfferRef, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, TaxMode
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, open_store

PARTNER = "benchmark"
BENCHMARK = Actor(ActorKind.SYSTEM, "benchmark")
_API_KEY = "obk_benchmark"
CLIENT_SECRET = "obs_benchmark"  # noqa: S105 - known to whoever reads this
PRICE = Decimal("12.00")
_START = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
_SESSIONS_IN_A_SERIES = 50
_AT_ONCE = 500

CUSTOMER = {
    "@type": "Person",
    "email": "geoff@example.com",
    "givenName": "Geoff",
    "telephone": "020 811 8055",
}
SELLER = Seller(
    key="centre",
    name="Riverside Centre",
    legal_name="Riverside Leisure Trust",
    tax_mode=TaxMode.GROSS,
    properties={
        "url": "https://riverside.example.com/",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "1 High Street",
            "addressLocality": "Testford",
            "addressRegion": "Testshire",
            "postalCode": "BB5 7AB",
            "addressCountry": "GB",
        },
    },
)
_DESCRIPTION = (
    "slow breath stretch balance strength mat hall coach beginner welcome bring water early floor music warm gentle "
    "core hips spine focus level partner towel shoes outdoor river evening morning weekly course friendly studio "
    "bright quiet group class small large active recovery posture flow power hold rest energy calm"
)
_WORDS = _DESCRIPTION.split()
_PLACES = ("Riverside", "Parkside", "Castle", "Station", "Harbour", "Meadow", "Mill", "Priory", "Quayside", "Abbey")


def described(number: int) -> dict[str, Any]:
    """Return properties of a SessionSeries, as varied as those of providers: gzip shrinks a page to a twelfth."""
    chance = random.Random(number)  # noqa: S311 - the same data each time
    place = f"{chance.choice(_PLACES)} Leisure Centre"
    return {
        "name": f"{chance.choice(_WORDS).title()} {chance.choice(_WORDS)} {number}",
        "description": " ".join(chance.choices(_WORDS, k=chance.randint(5, 20))),
        "url": f"https://riverside.example.com/classes/{chance.getrandbits(48):x}",
        "location": {
            "@type": "Place",
            "name": place,
            "address": {
                **SELLER.properties["address"],
                "streetAddress": f"{chance.randint(1, 300)} {chance.choice(_PLACES)} Street",
                "postalCode": f"BB{chance.randint(1, 20)} {chance.randint(1, 9)}AB",
            },
            "geo": {
                "@type": "GeoCoordinates",
                "latitude": round(chance.uniform(50, 55), 6),
                "longitude": round(chance.uniform(-3, 0), 6),
            },
        },
        "activity": [
            {
                "@type": "Concept",
                "@id": "https://openactive.io/activity-list#bf1a5e00-cdcf-465d-8c5a-6f57040b7f7e",
                "prefLabel": "Yoga",
                "inScheme": "https://openactive.io/activity-list",
            }
        ],
        "eventSchedule": [
            {
                "@type": "PartialSchedule",
                "repeatFrequency": "P1W",
                "startTime": f"{chance.randint(7, 20):02}:15",
                "endTime": f"{chance.randint(21, 22)}:15",
                "byDay": ["https://schema.org/Monday"],
            }
        ],
    }


def series_path(number: int) -> str:
    """Return the path of a SessionSeries."""
    return opportunity_path(OpportunityType.SESSION_SERIES, f"yoga-{number}")


def session_path(number: int) -> str:
    """Return the path of a ScheduledSession."""
    return opportunity_path(OpportunityType.SCHEDULED_SESSION, f"yoga-{number}")


def offer_of(session: int) -> OfferRef:
    """Return the Offer of a ScheduledSession, which is that of its series."""
    return OfferRef(series_path(session // _SESSIONS_IN_A_SERIES), "adult")


def _series(number: int) -> Opportunity:
    path = series_path(number)
    offer = Offer(key="adult", owner=path, name="Adult", price=PRICE, currency="GBP", full_refund_on_cancellation=True)
    return Opportunity(
        path=path,
        type=OpportunityType.SESSION_SERIES,
        seller=SELLER.key,
        offers=(offer,),
        properties=described(number),
    )


def _session(number: int, capacity: int) -> Opportunity:
    start = _START + timedelta(hours=number % (24 * 28))
    return Opportunity(
        path=session_path(number),
        type=OpportunityType.SCHEDULED_SESSION,
        seller=SELLER.key,
        parent=series_path(number // _SESSIONS_IN_A_SERIES),
        start=start,
        end=start + timedelta(hours=1),
        capacity=capacity,
    )


def settings_of(database: str, port: int) -> Settings:
    """Return the settings of a server with this database and port."""
    return Settings(database=database, port=port)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SqlStore]:
    """Open the store as the server does, with an up-to-date schema."""
    await asyncio.to_thread(prepare, settings.database)
    store = open_store(settings)
    try:
        yield store
    finally:
        await store.close()


async def stock(settings: Settings, *, series: int = 0, sessions: int = 0, capacity: int = 1_000_000) -> None:
    """Make a database with one Seller, a partner, and this many SessionSeries and ScheduledSessions."""
    needed = max(series, -(-sessions // _SESSIONS_IN_A_SERIES))
    things = chain(map(_series, range(needed)), (_session(number, capacity) for number in range(sessions)))
    async with opened(settings) as store:
        await store.execute(PublishSeller(SELLER, actor=BENCHMARK))
        await _add_partner(settings)
        while some := tuple(islice(things, _AT_ONCE)):
            await store.execute(Publish(some, actor=BENCHMARK))


async def _add_partner(settings: Settings) -> None:
    now, by, scopes = datetime.now(UTC), "benchmark", frozenset({Scope.OPENBOOKING})
    identity = open_identity_store(settings)
    await identity.save(
        Partner(
            key=PARTNER,
            name="Benchmark",
            registered=now,
            registered_by=by,
            api_key_digest=digest(_API_KEY),
            secret_digest=digest(CLIENT_SECRET),
        ),
        Grant(partner=PARTNER, seller=EVERY_SELLER, scopes=scopes, changed=now, changed_by=by),
    )
    await identity.close()


def order_body(ids: Identifiers, sessions: Sequence[int], type_: str = "Order") -> bytes:
    """Return the body of B, or of C1 as an OrderQuote, for a space at each of these sessions."""
    return request_body(ids, SELLER.key, [(session_path(session), offer_of(session)) for session in sessions], type_)


def request_body(ids: Identifiers, seller: str, wanted: Sequence[tuple[str, OfferRef]], type_: str = "Order") -> bytes:
    """Return the body of B, or of C1 as an OrderQuote, for a space of each Opportunity at PRICE."""
    items = [
        {
            "@type": "OrderItem",
            "position": position,
            "orderedItem": ids.opportunity(path),
            "acceptedOffer": ids.offer(offer),
        }
        for position, (path, offer) in enumerate(wanted)
    ]
    body: dict[str, Any] = {
        "@context": "https://openactive.io/",
        "@type": type_,
        "brokerRole": "https://openactive.io/AgentBroker",
        "broker": {"@type": "Organization", "name": "MyFitnessApp", "url": "https://myfitnessapp.example.com"},
        "seller": ids.seller(seller),
        "orderedItem": items,
    }
    if type_ == "Order":
        body |= {
            "customer": CUSTOMER,
            "totalPaymentDue": {
                "@type": "PriceSpecification",
                "price": int(PRICE) * len(wanted),
                "priceCurrency": "GBP",
            },
            "payment": {"@type": "Payment", "identifier": "payment-1"},
        }
    return msgspec.json.encode(body)


def headers() -> dict[str, str]:
    """Return the headers of a request to the API."""
    return {"Authorization": f"Bearer {_API_KEY}", "Content-Type": BOOKING_MEDIA_TYPE}
