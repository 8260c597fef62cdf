"""Serve one profile of the Test Suite on a fresh database: `python conformance/serve.py no-auth [--data N]`.

With `--data N`, N opportunities for each criterion, type and Seller are made first, as the suite's random mode needs.
"""

import argparse
import asyncio
import itertools
import os
import tempfile
from pathlib import Path

import httpx
import uvicorn

from openbooking.booking.opportunity import Seller
from openbooking.booking.publish import PublishSeller
from openbooking.settings import Settings, load_settings
from openbooking.spec.terms import TaxMode
from openbooking.system import open_system
from openbooking.web.app import create_app
from openbooking.web.test_interface import RECIPES

_ADDRESS = {
    "@type": "PostalAddress",
    "streetAddress": "1 Test Street",
    "addressLocality": "Testford",
    "addressRegion": "Testshire",
    "postalCode": "TE5 7AB",
    "addressCountry": "GB",
}
_TERMS = {
    "@type": "PrivacyPolicy",
    "name": "Privacy Policy",
    "url": "https://example.com/privacy",
    "requiresExplicitConsent": False,
}
_ONLY_SELLER = {"TestOpportunityBookableNonFreeTaxGross": "1", "TestOpportunityBookableNonFreeTaxNet": "2"}
_FLOWS = ["OpenBookingSimpleFlow", "OpenBookingApprovalFlow"]
_TYPES = [
    {"@type": "ScheduledSession", "superEvent": {"@type": "SessionSeries"}},
    {"@type": "Slot", "facilityUse": {"@type": "FacilityUse"}},
    {"@type": "Slot", "facilityUse": {"@type": "IndividualFacilityUse"}},
]


def sellers(settings: Settings) -> list[Seller]:
    """The Sellers that the suite's default configuration expects: the first with gross prices, the second with net."""
    properties = {"address": _ADDRESS, "url": "https://example.com", "termsOfService": [_TERMS]}
    first = Seller(key="1", name="One", legal_name="One Ltd", tax_mode=TaxMode.GROSS, properties=properties)
    second = Seller(key="2", name="Two", legal_name="Two Ltd", tax_mode=TaxMode.NET, properties=properties)
    return [first] if settings.single_seller else [first, second]


async def prepare(settings: Settings, count: int) -> None:
    """Publish the Sellers, and make the data of the random mode through the test interface."""
    async with open_system(settings) as system:
        for seller in sellers(settings):
            await system.store.execute(PublishSeller(seller))
    if count:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await _make_data(settings, httpx.AsyncClient(transport=httpx.ASGITransport(app)), count)


async def _make_data(settings: Settings, client: httpx.AsyncClient, count: int) -> None:
    url = f"{settings.base_uri}/test-interface/datasets/random/opportunities"
    headers = {settings.trusted_partner_header: "booking-partner-1"}
    made = 0
    for criterion, kind, seller, flow in itertools.product(RECIPES, _TYPES, sellers(settings), _FLOWS):
        if seller.key != _ONLY_SELLER.get(criterion, seller.key):
            continue
        for _ in range(count):
            body = _request(settings, criterion, kind, seller, flow)
            response = await client.post(url, json=body, headers=headers)
            response.raise_for_status()
            made += 1
    print(f"{made} opportunities made")


def _request(
    settings: Settings, criterion: str, kind: dict[str, object], seller: Seller, flow: str
) -> dict[str, object]:
    own_id = "seller" if settings.single_seller else f"sellers/{seller.key}"
    seller_ref = {"@type": "Organization", "@id": f"{settings.base_uri}/identifiers/{own_id}"}
    (link,) = kind.keys() - {"@type"}
    role = "organizer" if link == "superEvent" else "provider"
    return {
        **kind,
        link: {**kind[link], role: seller_ref},  # type: ignore[dict-item]
        "test:testOpportunityCriteria": f"https://openactive.io/test-interface#{criterion}",
        "test:testOpenBookingFlow": f"https://openactive.io/test-interface#{flow}",
    }


def main() -> None:
    """Prepare and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--data", type=int, default=0, help="opportunities for each criterion, type and Seller")
    arguments = parser.parse_args()
    profile = Path(__file__).parent / f"{arguments.profile}.toml"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OPENBOOKING_SETTINGS": str(profile)}
        settings = load_settings(environment, database=str(Path(folder) / "conformance.sqlite3"))
        asyncio.run(prepare(settings, arguments.data))
        uvicorn.run(create_app(settings), host=settings.host, port=settings.port, access_log=False)


if __name__ == "__main__":
    main()
