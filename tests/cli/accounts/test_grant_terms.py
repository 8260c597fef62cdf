"""The terms of a grant: set with `partner grant`, shown by `partner show`."""

import asyncio
from pathlib import Path

import pytest

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.identity.authentication import ApiKeyAuthentication
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.scopes import Scope
from openbooking.openactive.ids import OfferRef
from openbooking.settings import Settings
from openbooking.system import open_identity_store
from openbooking.testing.samples import Clock
from support.command_line import add_seller, fail, run, succeed

OFFER = "session-series/yoga#/offers/adult"


@pytest.fixture(autouse=True)
def key() -> str:
    """Return the API key of a partner that may book for one of two Sellers."""
    for seller in ("oak", "elm"):
        add_seller(seller)
    return succeed("partner", "add", "app", "--name", "App", "--seller", "oak").strip()


def terms() -> list[list[str]]:
    """Return the lines of `partner show` that have terms."""
    lines = [line.split("\t") for line in succeed("partner", "show", "app").splitlines()]
    return [line[1:] for line in lines if line[0] == "terms"]


def agree(*options: str, seller: str = "oak") -> list[list[str]]:
    succeed("partner", "grant", "app", seller, *options)
    return terms()


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01")
def test_terms_are_set_changed_and_shown(database: Path, key: str) -> None:
    """A request with the API key has the terms. A term without an option does not change."""

    async def held() -> GrantTerms:
        store = open_identity_store(Settings(database=str(database)))
        uses = LastUseRecorder(store, Clock())
        caller = await ApiKeyAuthentication(store, uses, Clock())({"authorization": f"Bearer {key}"}, Scope.OPENBOOKING)
        await uses.wait_until_written()
        await store.close()
        assert caller.terms_with("elm") == NO_TERMS
        return caller.terms_with("oak")

    assert terms() == []
    assert agree("--offer-overrides") == [["oak", "offer overrides", "agreed"]]
    assert agree("--dynamic-account", "B", "--dynamic-account", " A ") == [
        ["oak", "offer overrides", "agreed"],
        ["oak", "dynamic account", "A"],
        ["oak", "dynamic account", "B"],
    ]
    assert agree("--no-offer-overrides", "--dynamic-account", "C") == [["oak", "dynamic account", "C"]]
    named = ("--venue", " The  Hall, TE5 7AB", "--activity", "http://openactive.io/activity-list/#1", "--offer", OFFER)
    assert agree(*named, "--open-quotes", "5", "--open-proposals", "0", "--clear", "dynamic-accounts") == [
        ["oak", "only venue", "The Hall, TE5 7AB"],
        ["oak", "only activity", "https://openactive.io/activity-list#1"],
        ["oak", "only Offer", OFFER],
        ["oak", "open quotes", "5"],
        ["oak", "open proposals", "0"],
    ]
    assert asyncio.run(held()) == GrantTerms(
        venues=frozenset({"The Hall, TE5 7AB"}),
        activities=frozenset({"https://openactive.io/activity-list#1"}),
        offers=frozenset({OfferRef("session-series/yoga", "adult")}),
        open_quotes=5,
        open_proposals=0,
    )
    cleared = [word for what in ("venues", "activities", "offers", "open-quotes") for word in ("--clear", what)]
    assert agree(*cleared) == [["oak", "open proposals", "0"]]
    assert agree() == [["oak", "open proposals", "0"]]
    assert asyncio.run(held()) == GrantTerms(open_proposals=0)


def test_an_offer_may_be_named_by_its_id() -> None:
    whole = f"http://127.0.0.1:8000/api/identifiers/{OFFER}"
    assert agree("--offer", whole) == [["oak", "only Offer", OFFER]]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--offer", "session-series/yoga"), "names no Offer"),
        (("--offer", f"https://elsewhere.example/api/identifiers/{OFFER}"), "names no Offer"),
        (("--dynamic-account", "*"), "Name each account"),
        (("--venue", " "), "Name each venue"),
        (("--venue", "Hall", "--clear", "venues"), "Set or clear each of these terms, not both"),
    ],
)
def test_a_refused_term_changes_no_term(options: tuple[str, ...], reason: str) -> None:
    assert reason in fail(1, "partner", "grant", "app", "oak", "--offer-overrides", *options)
    assert terms() == []
    assert run("partner", "grant", "app", "oak", "--open-quotes", "-1").exit_code == 2


@pytest.mark.spec("OB-AUTH-07", "OB-AUTH-27")
def test_terms_outlive_suspension_and_end_with_revocation() -> None:
    overrides, account = ["oak", "offer overrides", "agreed"], ["oak", "dynamic account", "A"]
    agree("--offer-overrides")
    succeed("partner", "suspend", "app", "--seller", "oak")
    told = succeed("partner", "grant", "app", "oak", "--dynamic-account", "A")
    assert told == "Sellers of app now: oak (suspended)\n"
    assert terms() == [overrides, account]
    assert succeed("partner", "grant", "app", "oak") == "Sellers of app now: oak\n"
    assert terms() == [overrides, account]
    succeed("partner", "revoke", "app", "oak")
    assert terms() == []
    assert agree("--dynamic-account", "B") == [["oak", "dynamic account", "B"]]


def test_terms_for_all_sellers_are_valid_until_a_seller_has_its_own() -> None:
    """A new grant of a Seller starts with the terms for all Sellers."""
    succeed("partner", "grant", "app", "--all-sellers", "--offer-overrides")
    assert terms() == [["*", "offer overrides", "agreed"]]
    assert agree("--venue", "Hall", seller="elm") == [
        ["*", "offer overrides", "agreed"],
        ["elm", "offer overrides", "agreed"],
        ["elm", "only venue", "Hall"],
    ]
