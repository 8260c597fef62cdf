"""`openbooking seller`: add, replace and list Sellers."""

import json
from pathlib import Path

import pytest

from openbooking.identity.oauth.claims import ClaimWriter
from openbooking.identity.records import (
    Authorization,
)
from openbooking.identity.scopes import Scope
from openbooking.store.documents import decode_seller
from support.builders import NOW
from support.command_line import SELLER_OPTIONS, add_seller, fail, misuse, rows, run, succeed
from support.identity_provider import IDS, POLICY


def test_sellers_are_added_and_listed(database: Path) -> None:
    add_seller("willow", vat_id="GB999999974")
    add_seller("oak", name="Oak Hall", tax_mode="gross")
    assert succeed("seller", "list") == "oak\tOak Hall\tgross\nwillow\tWillow Studio\tnet\n"
    ((document,),) = rows(database, "SELECT document FROM seller WHERE key = 'willow'")
    properties = json.loads(document)["properties"]
    assert properties["vatID"] == "GB999999974"
    assert properties["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "22a Canal Street",
        "addressLocality": "Oxford",
        "addressRegion": "Oxfordshire",
        "postalCode": "OX2 6ZZ",
        "addressCountry": "GB",
    }


def test_the_next_step_after_a_new_seller_is_told() -> None:
    added = run("seller", "add", "oak", *SELLER_OPTIONS)
    assert added.stdout == "Added Seller oak.\n"
    assert added.stderr.endswith("Add its manager with `openbooking user add NAME --seller oak`.\n")
    assert run("seller", "add", "oak", *SELLER_OPTIONS, "--replace").stderr == ""


def test_the_vat_treatment_of_a_seller_is_stored(database: Path) -> None:
    add_seller("willow", vat="exempt")
    add_seller("oak")
    ((willow,), (oak,)) = rows(database, "SELECT document FROM seller ORDER BY key DESC")
    assert json.loads(willow)["vat"] == "exempt"
    assert "vat" not in json.loads(oak)
    assert run("seller", "add", "elm", *SELLER_OPTIONS, "--vat", "half").exit_code == 2


def test_the_colour_of_a_seller_is_stored_apart_from_what_is_published(database: Path) -> None:
    add_seller("willow", colour="#0B5D4E")
    ((document,),) = rows(database, "SELECT document FROM seller")
    assert json.loads(document)["colour"] == "#0b5d4e"
    assert "colour" not in json.loads(document)["properties"]


def test_seller_add_replaces_a_seller_only_with_replace() -> None:
    add_seller("willow")
    assert "already" in fail(1, "seller", "add", "willow", *SELLER_OPTIONS)
    succeed("seller", "add", "willow", *SELLER_OPTIONS, "--name", "Weeping Willow", "--replace")
    assert succeed("seller", "list") == "willow\tWeeping Willow\tnet\n"


def test_seller_add_refuses_missing_details() -> None:
    assert run("seller", "add", "willow", "--name", "Willow").exit_code == 2


@pytest.mark.spec("OB-AUTH-30")
def test_the_logo_of_a_seller_is_in_its_id_tokens(database: Path) -> None:
    add_seller("oak", logo="https://oak.example/logo.png")
    ((document,),) = rows(database, "SELECT document FROM seller")
    asked = Authorization(
        id="1", partner="app", seller="oak", user="ann", scopes=frozenset({Scope.OPENBOOKING}), issued=NOW, expires=NOW
    )
    claims = ClaimWriter(POLICY, IDS, None).id_token(asked, decode_seller(document), "token", NOW)
    assert claims["https://openactive.io/sellerLogo"] == "https://oak.example/logo.png"


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("--email", "nonsense", "'nonsense' is no e-mail address"),
        ("--country", "UK", "'UK' is no country in ISO 3166, such as GB. Did you mean GB?"),
        ("--country", "Britain", "'Britain' is no country in ISO 3166, such as GB. Did you mean GB?"),
        ("--country", "nowhere", "'nowhere' is no country in ISO 3166, such as GB."),
        ("--vat-id", "nonsense", "'nonsense' is no VAT number"),
        ("--url", "javascript:alert(1)", "'javascript:alert(1)' is no web address"),
        ("--logo", "logo.png", "'logo.png' is no web address"),
        ("--terms", "terms", "'terms' is no web address"),
        ("--colour", "green", "'green' is no colour"),
    ],
)
def test_a_wrong_detail_is_told_at_its_option(option: str, wrong: str, message: str) -> None:
    told = misuse("seller", "add", "willow", *SELLER_OPTIONS, option, wrong)
    assert f"Invalid value for '{option}': {message}" in told
