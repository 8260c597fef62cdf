"""Serve one profile of the Test Suite on a fresh database: `python conformance/serve.py no-auth [--data N]`.

`--data N` first makes N Opportunities for each criterion, type and flow, which the suite's random mode needs. The most
frequent criterion gets ten times as many. The second Seller gets only the criteria that the suite needs of it. N = 25
is enough for every test. `--database` and `--workers` choose another database and the number of processes.
"""

import argparse
import asyncio
import itertools
import os
import tempfile
from pathlib import Path

from argon2 import PasswordHasher

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.clock import SystemClock
from openbooking.identity.digests import digest
from openbooking.identity.records import (
    EVERY_SELLER,
    Grant,
    IdentityRecord,
    Partner,
    RegistrationToken,
    Role,
    User,
)
from openbooking.identity.scopes import Scope
from openbooking.openactive.terms import TaxMode
from openbooking.serving.processes import serve_forever
from openbooking.settings import AccessMode, Settings, load_settings
from openbooking.system import open_system
from openbooking.web.test_interface.opportunities import RECIPES, VOCABULARY, OpportunityMaker, recipe_for

CONFORMANCE = Actor(ActorKind.SYSTEM, "conformance")
now = SystemClock()

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
_LOGO = {"@type": "ImageObject", "url": "https://example.com/logo.png"}
_COMMONEST = "TestOpportunityBookable"
_TAX_NET = "TestOpportunityBookableNonFreeTaxNet"
_REGISTRATION_TOKENS = (
    "openactive_test_suite_client_12345xaq",
    "dynamic-primary-745ddf2d13019ce8b69c",
    "dynamic-secondary-a21518cb57af7b6052df",
)
_FLOWS = [f"{VOCABULARY}OpenBookingSimpleFlow", f"{VOCABULARY}OpenBookingApprovalFlow"]
_TYPES = [
    ("ScheduledSession", "SessionSeries"),
    ("Slot", "FacilityUse"),
    ("Slot", "IndividualFacilityUse"),
    ("Event", None),
    ("HeadlineEvent", None),
    ("CourseInstance", None),
    ("Event", "HeadlineEvent"),
    ("Event", "CourseInstance"),
]


def sellers(settings: Settings) -> list[Seller]:
    """Return the Sellers of the suite's default configuration: the first with gross prices, the second with net."""
    properties = {"address": _ADDRESS, "url": "https://example.com", "logo": _LOGO, "termsOfService": [_TERMS]}
    first = Seller(key="1", name="One", legal_name="One Ltd", tax_mode=TaxMode.GROSS, properties=properties)
    second = Seller(key="2", name="Two", legal_name="Two Ltd", tax_mode=TaxMode.NET, properties=properties)
    return [first] if settings.single_seller else [first, second]


def people_and_partners(settings: Settings) -> list[IdentityRecord]:
    """Return the users and partners of the suite's configuration, with well-known passwords, secrets and API keys."""
    at, by = now(), "the Test Suite"
    hash_ = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash
    users = [
        User(name=name, seller=seller, role=Role.MANAGER, password_hash=hash_(name))
        for name, seller in (("test1", "1"), ("test2", "2"))
    ]
    clients = [
        Partner(
            key=key,
            name=f"Test Suite {key}",
            registered=at,
            registered_by=by,
            secret_digest=digest("secret"),
            redirect_uris=("http://localhost:3000/cb",),
        )
        for key in ("clientid_800", "clientid_801")
    ]
    tokens = [RegistrationToken(digest=digest(token), name=by, created=at) for token in _REGISTRATION_TOKENS]
    keyed = _with_api_keys() if settings.access is AccessMode.API_KEY else []
    return [*users, *clients, *tokens, *keyed]


def _with_api_keys() -> list[IdentityRecord]:
    """Return two Booking Partners with API keys, and their grants for every Seller."""
    at, by = now(), "the Test Suite"
    partners = [
        Partner(key=key, name=f"Test Suite {key}", registered=at, registered_by=by, api_key_digest=digest(f"obk_{key}"))
        for key in ("primary", "secondary")
    ]
    scopes = frozenset({Scope.OPENBOOKING})
    grants = [
        Grant(partner=partner.key, seller=EVERY_SELLER, scopes=scopes, changed=at, changed_by=by)
        for partner in partners
    ]
    return [*partners, *grants]


async def prepare(settings: Settings, count: int) -> None:
    """Publish the Sellers, and for the random mode `count` Opportunities for each criterion, type, flow and Seller."""
    async with open_system(settings) as system:
        await system.identity.store.save(*people_and_partners(settings))
        for seller in sellers(settings):
            await system.store.execute(PublishSeller(seller, actor=CONFORMANCE))
        groups = itertools.product(RECIPES, _TYPES, sellers(settings), _FLOWS)
        for criterion, types, seller, flow in groups if count else ():
            makers = [
                OpportunityMaker(recipe_for(criterion, flow), seller.key, "random", now())
                for _ in range(count * _share(criterion, seller))
            ]
            made = [opportunity for maker in makers for opportunity in maker.make(*types)]
            await system.store.execute(Publish(tuple(made), actor=CONFORMANCE))


def _share(criterion: str, seller: Seller) -> int:
    if seller.tax_mode is TaxMode.NET:
        return int(criterion in (_COMMONEST, _TAX_NET))
    return 10 if criterion == _COMMONEST else int(criterion != _TAX_NET)


def main() -> None:
    """Prepare the database and serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--data", type=int, default=0, help="opportunities for each criterion, type and Seller")
    parser.add_argument("--database", help="the URL of an empty PostgreSQL database; otherwise a new SQLite file")
    parser.add_argument("--workers", type=int, help="how many processes serve")
    arguments = parser.parse_args()
    profile = Path(__file__).parent / f"{arguments.profile}.toml"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OPENBOOKING_SETTINGS": str(profile)}
        database = arguments.database or str(Path(folder) / "conformance.sqlite3")
        settings = load_settings(environment, database=database, workers=arguments.workers)
        asyncio.run(prepare(settings, arguments.data))
        serve_forever(settings)


if __name__ == "__main__":
    main()
