"""Each value of each protocol setting is in a profile, and the Test Suite's configuration agrees with the profile."""

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openbooking.booking.model.policy import Leasing, TaxCalculation
from openbooking.settings import (
    FILE_VARIABLE,
    AccessMode,
    Settings,
    describe_settings,
    load_settings,
    protocol_settings,
)

FOLDER = Path(__file__).parents[2] / "conformance"
PROFILES = {file.stem: load_settings({FILE_VARIABLE: str(file)}) for file in sorted(FOLDER.glob("*.toml"))}
FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}
PREPAYMENT = ("prepayment-required-unavailable", "prepayment-optional", "prepayment-unavailable")


def kinds(name: str) -> set[Any]:
    """Return the kinds of value of a setting: members of an enum, true and false, or for a text "set" and "unset"."""
    match FIELDS[name].default:
        case bool():
            return {True, False}
        case StrEnum() as member:
            return set(type(member))
        case str():
            return {"set", "unset"}
        case default:
            pytest.fail(f"{name} is marked as a protocol setting, but the type of {default!r} is not supported for one")


def kind(name: str, settings: Settings) -> Any:
    """Return which of these kinds the value has."""
    value = getattr(settings, name)
    return value if kinds(name) != {"set", "unset"} else "set" if value else "unset"


@pytest.mark.parametrize("name", sorted(protocol_settings()))
def test_each_value_of_a_protocol_setting_is_in_a_profile(name: str) -> None:
    assert {kind(name, settings) for settings in PROFILES.values()} == kinds(name)


def test_every_setting_with_named_values_is_a_protocol_setting() -> None:
    """Brokers do not see how people sign in, or how e-mail to staff is sent."""
    internal = {"second_factor", "smtp_security"}
    choices = {name for name, field in FIELDS.items() if isinstance(field.default, StrEnum)} - internal
    assert choices
    assert choices <= protocol_settings()


def test_protocol_settings_are_marked_in_their_description() -> None:
    marked = {name for name, _, meaning in describe_settings(Settings()) if meaning.endswith("(protocol)")}
    assert marked == {f"OPENBOOKING_{name.upper()}" for name in protocol_settings()}


def test_every_profile_is_described() -> None:
    rows = [line.split("`")[1] for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(PROFILES)
    layers = {file.name.removesuffix(".suite.json") for file in FOLDER.glob("*.suite.json")}
    assert layers <= PROFILES.keys() | set(AccessMode)


@pytest.mark.parametrize("name", PROFILES)
def test_the_configuration_of_the_suite_agrees_with_the_profile(name: str) -> None:
    script = [sys.executable, str(FOLDER / "suite_config.py"), name]
    config = json.loads(subprocess.run(script, capture_output=True, check=True).stdout)
    configured, settings = config["integrationTests"]["implementedFeatures"], PROFILES[name]
    several = not settings.single_seller
    expected = {
        "named-leasing": settings.leasing is not Leasing.OFF,
        "anonymous-leasing": settings.leasing is Leasing.ANONYMOUS,
        "single-seller": not several,
        "multiple-sellers": several,
        "payment-reconciliation-detail-validation": bool(settings.reconciliation_name),
        "offer-overrides": settings.offer_overrides,
        "dynamic-payment": bool(settings.dynamic_accounts),
        "terms-of-service-for-booking-system": bool(settings.terms_of_service),
        "terms-of-service-with-consent": settings.terms_require_consent,
        "terms-of-service-with-consent-with-date-modified": bool(settings.terms_modified),
        "business-to-consumer-tax-calculation-gross": settings.tax is not TaxCalculation.NEVER,
        "business-to-consumer-tax-calculation-net": settings.tax is not TaxCalculation.NEVER and several,
        "business-to-business-tax-calculation-gross": settings.tax is TaxCalculation.ALWAYS,
        "business-to-business-tax-calculation-net": settings.tax is TaxCalculation.ALWAYS and several,
        "reseller-broker-tax-calculation": settings.tax is TaxCalculation.ALWAYS,
        "booking-partner-openid-authentication": settings.access is AccessMode.OPENID,
        "dynamic-client-registration": settings.access is AccessMode.OPENID,
        **dict.fromkeys(PREPAYMENT, settings.prepayment),
    }
    # By default the suite assumes every feature but "single-seller".
    assumed = {feature: feature != "single-seller" for feature in expected}
    assert {feature: configured.get(feature, assumed[feature]) for feature in expected} == expected
