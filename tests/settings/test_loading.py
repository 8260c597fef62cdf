"""Where a setting is read from: overrides, environment variables, the settings file and defaults."""

from pathlib import Path

import pytest

from openbooking.settings import SettingsError, load_settings
from openbooking.settings.definitions import settings_in_files
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
    with pytest.raises(SettingsError, match=r"Did you mean port .* access \(OPENBOOKING_ACCESS\) is 'x'"):
        load_settings({"OPENBOOKING_SETTINGS": str(file), "OPENBOOKING_ACCESS": "x"})


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
    with pytest.raises(SettingsError, match=r"metrics_token \(OPENBOOKING_METRICS_TOKEN\) is set twice"):
        load_settings(environment)


def test_a_missing_file_of_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OPENBOOKING_METRICS_TOKEN_FILE names, cannot be read"):
        load_settings({"OPENBOOKING_METRICS_TOKEN_FILE": str(tmp_path / "none")})


def test_only_secrets_are_read_from_files_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"name_file .*hold database, metrics_token, replica or smtp_password only"):
        load_settings({"OPENBOOKING_NAME_FILE": str(tmp_path / "name")})


@pytest.mark.parametrize("name", sorted(settings_in_files()))
def test_each_secret_and_location_can_be_in_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / "value"
    file.write_text("postgresql://desk:s3cret@db.example.com/openbooking\n")
    with_user = {"OPENBOOKING_SMTP_USER": "desk"} if name == "smtp_password" else {}
    settings = load_settings({f"OPENBOOKING_{name.upper()}_FILE": str(file), **with_user})
    assert getattr(settings, name) == "postgresql://desk:s3cret@db.example.com/openbooking"


@pytest.mark.parametrize("content", [b"", b"\n", b"SQLite format 3\x00\xff", b"one\ntwo", b"x" * 20_000])
def test_a_file_without_one_line_of_text_holds_no_setting(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "openbooking.sqlite3"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"OPENBOOKING_DATABASE_FILE names, must hold one line"):
        load_settings({"OPENBOOKING_DATABASE_FILE": str(file)})


LEASING = "leasing (OPENBOOKING_LEASING) is 'maybe'. It must be off, named or anonymous."
NEARLY = "leasing (OPENBOOKING_LEASING) is 'Name'. It must be off, named or anonymous. Did you mean named?"
LEASE = "lease_seconds (OPENBOOKING_LEASE_SECONDS) is '0'. It must be a whole number from 1 to 1000000000."
PREPAYMENT = "prepayment (OPENBOOKING_PREPAYMENT) is 'perhaps'. It must be true or false."
ITEMS = "max_order_items (OPENBOOKING_MAX_ORDER_ITEMS) is '0'. It must be a whole number of at least 1."
SHARE = "hold_share (OPENBOOKING_HOLD_SHARE) is '2'. It must be a number above 0 of at most 1."
REPLICA = "There is no setting replika (OPENBOOKING_REPLIKA). Did you mean replica (OPENBOOKING_REPLICA)?"
ADDRESS = "There is no setting site_address (OPENBOOKING_SITE_ADDRESS). Did you mean site_url (OPENBOOKING_SITE_URL)?"
LIST = "`openbooking settings` lists all settings."
PATH = "api_path (OPENBOOKING_API_PATH) is '/{x}'. It must be a path such as /api or /v1/booking."
ZONE = "time_zone (OPENBOOKING_TIME_ZONE) is 'Oxford'. It must be the name of an IANA time zone, such as Europe/London."


@pytest.mark.parametrize(
    ("variables", "messages"),
    [
        ({"LEASING": "maybe"}, [LEASING]),
        ({"LEASING": "Name"}, [NEARLY]),
        ({"LEASE_SECONDS": "0", "PREPAYMENT": "perhaps"}, [LEASE, PREPAYMENT]),
        ({"MAX_ORDER_ITEMS": "0"}, [ITEMS]),
        ({"HOLD_SHARE": "2"}, [SHARE]),
        ({"SITE_ADDRESS": "x", "REPLIKA": "y"}, [REPLICA, ADDRESS, LIST]),
        ({"TIME_ZONE": "Oxford", "API_PATH": "/{x}"}, [PATH, ZONE]),
    ],
)
def test_a_message_names_the_variable_the_value_the_choices_and_the_nearest_name(
    variables: dict[str, str], messages: list[str]
) -> None:
    with pytest.raises(SettingsError) as told:
        load_settings({f"OPENBOOKING_{name}": value for name, value in variables.items()})
    assert str(told.value) == " ".join(messages)


@pytest.mark.parametrize("name", sorted(settings_in_files()))
def test_the_message_about_a_secret_of_a_wrong_type_does_not_show_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'{name} = ["s3cret"]')
    with pytest.raises(SettingsError, match="must be a text") as told:
        load_settings({"OPENBOOKING_SETTINGS": str(file)})
    assert "s3cret" not in str(told.value)


def test_the_variables_that_kubernetes_sets_have_no_message() -> None:
    links = {"OPENBOOKING_PORT": "tcp://10.0.0.1:8000", "OPENBOOKING_SERVICE_HOST": "10.0.0.1"}
    assert load_settings(links) == load_settings({})
