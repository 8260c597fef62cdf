"""Where a setting is read from: overrides, environment variables, the settings file and defaults."""

from pathlib import Path

import pytest

from openbooking.settings import SettingsError, load_settings


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


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("prot = 8000")
    with pytest.raises(SettingsError, match="prot"):
        load_settings({"OPENBOOKING_SETTINGS": str(file)})
