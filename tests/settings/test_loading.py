"""Where a setting is read from: overrides, environment variables, the settings file and defaults."""

from pathlib import Path

import pytest

from openbooking.settings import SettingsError, load_settings
from openbooking.settings.loading import SANDBOX_VARIABLES


def test_an_override_comes_before_the_environment_and_the_environment_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('name = "File"\nlease_seconds = 60\nport = 1\n')
    environment = {"OPENBOOKING_SETTINGS": str(file), "OPENBOOKING_LEASE_SECONDS": "70", "OPENBOOKING_PORT": "2"}
    settings = load_settings(environment, port=3, workers=None)
    assert (settings.name, settings.lease_seconds, settings.port, settings.workers) == ("File", 70, 3, 1)


@pytest.mark.parametrize("content", [b"port = ", b"\xff"])
def test_a_settings_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="settings file"):
        load_settings({"OPENBOOKING_SETTINGS": str(file)})


def test_a_missing_settings_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"OPENBOOKING_SETTINGS": str(tmp_path / "none.toml")})


def test_the_variables_of_a_broker_under_test_are_no_settings() -> None:
    assert load_settings(dict.fromkeys(SANDBOX_VARIABLES, "x")) == load_settings({})


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("prot = 8000")
    with pytest.raises(SettingsError, match="prot"):
        load_settings({"OPENBOOKING_SETTINGS": str(file)})


def test_a_secret_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    mail = {"OPENBOOKING_SMTP_HOST": "mail.example.com", "OPENBOOKING_SMTP_FROM": "a@example.com"}
    environment = {**mail, "OPENBOOKING_SMTP_USER": "desk", "OPENBOOKING_SMTP_PASSWORD_FILE": str(file)}
    assert load_settings(environment).smtp_password == "s3cret"


def test_a_secret_that_is_set_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    environment = {"OPENBOOKING_METRICS_TOKEN": "two", "OPENBOOKING_METRICS_TOKEN_FILE": str(file)}
    with pytest.raises(SettingsError, match="metrics_token is set twice"):
        load_settings(environment)


def test_a_missing_file_of_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="metrics_token cannot be read"):
        load_settings({"OPENBOOKING_METRICS_TOKEN_FILE": str(tmp_path / "none")})


def test_only_secrets_are_read_from_files_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name_file"):
        load_settings({"OPENBOOKING_NAME_FILE": str(tmp_path / "name")})
