"""Settings that are built in code have the validation of those from the environment."""

import math
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.policy import Leasing
from openbooking.settings import AccessMode, Settings, SettingsError, load_settings

INVALID: list[dict[str, Any]] = [
    {"leasing": "whatever"},
    {"access": "password"},
    {"port": -1},
    {"port": 65536},
    {"workers": 0},
    {"retention_days": -1},
    {"hold_share": 0},
    {"hold_share": 1.5},
    {"hold_share": math.nan},
    {"sweep_seconds": 0},
    {"time_zone": "Europe/Testford"},
    {"site_url": "http://booking.example.com"},
    {"site_url": "https://booking.example.com?a"},
    {"site_url": "https://[zz]"},
    {"lease_seconds": 10**15},
    {"api_path": "/{x}"},
    {"access": "headers"},
    {"trusted_partner_header": "X-Partner"},
    {"terms_of_service": "https://example.com/terms", "booking_service": False},
]
WRONG_TYPES: list[dict[str, Any]] = [
    {"port": "8000"},
    {"port": 8000.5},
    {"port": True},
    {"workers": None},
    {"database": 7},
    {"booking_service": "yes"},
    {"lease_seconds": "900"},
]


@pytest.mark.parametrize("values", INVALID, ids=str)
def test_code_and_environment_refuse_the_same_values(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as in_code:
        Settings(**values)
    with pytest.raises(SettingsError) as from_environment:
        load_settings({f"OPENBOOKING_{name.upper()}": str(value) for name, value in values.items()})
    assert str(in_code.value) == str(from_environment.value)


@pytest.mark.parametrize("values", WRONG_TYPES, ids=str)
def test_code_must_give_values_of_the_right_type(values: dict[str, Any]) -> None:
    ((name, _),) = values.items()
    with pytest.raises(SettingsError, match=rf"Expected .* - at `\$\.{name}`"):
        Settings(**values)


def test_a_changed_copy_is_validated() -> None:
    with pytest.raises(SettingsError, match=r"at `\$\.workers`"):
        replace(Settings(), workers=0)


def test_the_name_of_a_value_becomes_the_value() -> None:
    values: dict[str, Any] = {"leasing": "off", "access": "openid", "sweep_seconds": 1}
    settings = Settings(**values)
    assert (settings.leasing, settings.access) == (Leasing.OFF, AccessMode.OPENID)
    assert isinstance(settings.leasing, Leasing)
    assert isinstance(settings.sweep_seconds, float)
    assert settings == load_settings({"OPENBOOKING_LEASING": "off", "OPENBOOKING_ACCESS": "openid"}, sweep_seconds=1)


def test_an_unknown_setting_is_refused() -> None:
    values: dict[str, Any] = {"prot": 8000}
    with pytest.raises(TypeError, match="prot"):
        Settings(**values)
    with pytest.raises(SettingsError, match="prot"):
        load_settings({"OPENBOOKING_PROT": "8000"})
