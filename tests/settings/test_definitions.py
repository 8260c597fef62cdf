"""Settings in code and from the environment have the same checks and the same messages."""

import math
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.policy import Leasing
from openbooking.settings import AccessMode, Settings, SettingsError, load_settings

LONG_DURATIONS = (
    "lease_seconds",
    "guarantee_seconds",
    "proposal_seconds",
    "hold_seconds",
    "proposal_hold_seconds",
    "retention_days",
    "access_token_seconds",
    "refresh_token_days",
    "refresh_leeway_seconds",
    "signing_key_days",
    "session_hours",
    "proposal_mail_minutes",
    "access_request_days",
)
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
    {"sweep_seconds": math.nan},
    {"sweep_seconds": math.inf},
    {"command_seconds": math.inf},
    {"drain_seconds": math.inf},
    {"workers": 1_001},
    {"smtp_host": "mail.example.com"},
    {"smtp_from": "desk@example.com"},
    {"smtp_host": "mail.example.com", "smtp_from": "desk"},
    {"smtp_user": "desk"},
    {"smtp_user": "a", "smtp_password": "b", "smtp_security": "none"},
    {"proposal_mail_minutes": 0},
    {"access_request_days": 0},
    {"administrator_email": "ann"},
    {"feedback_url": "http://github.com/example"},
    {"data_documentation_url": "javascript:alert(1)"},
    {"api_documentation_url": "docs"},
    {"api_terms_url": "https://exa mple.com/"},
    {"api_access_url": 'https://example.com/"'},
    {"trial_system_url": "https://user@example.com/"},
    {"conformance_certificate": "ftp://example.com/"},
    {"data_catalog": "https://north.example.com/openactive, south.example.com"},
    {"dataset_logo": "nowhere/logo.png"},
    {"dataset_logo": "logo.txt"},
    {"dataset_background": "http://example.com/wide.png"},
    *({name: 10**15} for name in LONG_DURATIONS),
    {"site_url": "https://booking.example.com:99999"},
    {"publisher_email": "nonsense"},
    {"terms_of_service": "nonsense"},
    {"terms_modified": "yesterday"},
    {"trusted_partner_header": "X Partner", "access": "headers"},
    {"trusted_partner_header": "X-Partner:", "access": "headers"},
    {"trusted_seller_header": "X-Seller\n", "trusted_partner_header": "X-Partner", "access": "headers"},
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
    named = [f"{name} (OPENBOOKING_{name.upper()})" for name in values]
    with pytest.raises(SettingsError) as in_code:
        Settings(**values)
    with pytest.raises(SettingsError) as from_environment:
        load_settings({f"OPENBOOKING_{name.upper()}": str(value) for name, value in values.items()})
    assert str(in_code.value) == str(from_environment.value)
    assert any(name in str(in_code.value) for name in named)


@pytest.mark.parametrize("values", WRONG_TYPES, ids=str)
def test_a_value_of_a_wrong_type_in_code_is_refused(values: dict[str, Any]) -> None:
    ((name, _),) = values.items()
    with pytest.raises(SettingsError, match=rf"{name} \(OPENBOOKING_{name.upper()}\) .* must be "):
        Settings(**values)


@pytest.mark.parametrize("size", [0, 2_000_001])
def test_a_picture_of_a_wrong_size_is_refused(tmp_path: Path, size: int) -> None:
    picture = tmp_path / "wide.jpeg"
    picture.write_bytes(bytes(size))
    with pytest.raises(SettingsError, match=r"dataset_background .* 1 to 2,000,000 bytes"):
        Settings(dataset_background=str(picture))


@pytest.mark.parametrize("url", ["http://localhost:8001/", "http://localhost/trial", "http://[::1]:8001/"])
def test_a_link_on_localhost_is_accepted_for_a_trial(url: str) -> None:
    assert Settings(trial_system_url=url).trial_system_url == url


def test_a_changed_copy_is_validated() -> None:
    with pytest.raises(SettingsError, match=r"OPENBOOKING_WORKERS"):
        replace(Settings(), workers=0)


def test_text_in_code_becomes_the_enumeration_value() -> None:
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


@pytest.mark.parametrize("values", INVALID, ids=str)
def test_the_message_names_the_setting(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="|".join(values)):
        Settings(**values)


@pytest.mark.parametrize("name", LONG_DURATIONS)
def test_the_longest_duration_ends_before_the_last_date(name: str) -> None:
    (field,) = (field for field in msgspec.inspect.type_info(Settings).fields if field.name == name)  # type: ignore[attr-defined]
    unit = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}[name.rpartition("_")[2]]
    end = datetime.now(UTC) + timedelta(seconds=field.type.type.le * unit)
    assert end.year < MAXYEAR
