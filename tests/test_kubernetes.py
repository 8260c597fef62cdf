"""Variables that Kubernetes sets for a Service are not read as settings."""

from pathlib import Path

import pytest
import structlog.testing

from openbooking.settings import SettingsError, load_settings

OF_SERVICES = {
    "OPENBOOKING_SERVICE_HOST": "10.0.0.1",
    "OPENBOOKING_SERVICE_PORT": "8000",
    "OPENBOOKING_SERVICE_PORT_HTTP": "8000",
    "OPENBOOKING_PORT": "tcp://10.0.0.1:8000",
    "OPENBOOKING_PORT_8000_TCP": "tcp://10.0.0.1:8000",
    "OPENBOOKING_PORT_8000_TCP_PROTO": "tcp",
    "OPENBOOKING_PORT_8000_TCP_PORT": "8000",
    "OPENBOOKING_PORT_8000_TCP_ADDR": "10.0.0.1",
    "OPENBOOKING_PORT_53_UDP": "udp://[fd00::1]:53",
    "OPENBOOKING_PORT_53_UDP_ADDR": "fd00::1",
    "OPENBOOKING_POSTGRES_SERVICE_HOST": "10.0.0.2",
    "OPENBOOKING_POSTGRES_PORT": "tcp://10.0.0.2:5432",
    "OPENBOOKING_POSTGRES_PORT_5432_TCP": "tcp://10.0.0.2:5432",
}
MISSPELT = {
    "OPENBOOKING_PORTS": "8000",
    "OPENBOOKING_PORT": "http://10.0.0.1:8000",
    "OPENBOOKING_HTTP_PORT": "8000",
    "OPENBOOKING_SERVICE": "x",
    "OPENBOOKING_SERVICE_HOST": "booking.example.com",
    "OPENBOOKING_SERVICE_PORT": "http",
    "OPENBOOKING_PORT_8000_TCP": "8000",
    "OPENBOOKING_PORT_8000_TCP_NAME": "tcp",
    "OPENBOOKING_PORT_8000_TCP_PROTO": "http",
    "OPENBOOKING_PORT_HTTP_TCP": "tcp://10.0.0.1:8000",
    "OPENBOOKING_DATABSE": "x",
}


def test_variables_of_a_kubernetes_service_are_ignored(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port = 8100")
    with structlog.testing.capture_logs() as logged:
        assert load_settings(OF_SERVICES).port == 8000
        assert load_settings(OF_SERVICES | {"OPENBOOKING_SETTINGS": str(file)}).port == 8100
        assert load_settings(OF_SERVICES, port=8200).port == 8200
    assert {(line["event"], line["variable"]) for line in logged} == {("settings.left_out", "OPENBOOKING_PORT")}


def test_a_port_number_is_a_setting() -> None:
    with structlog.testing.capture_logs() as logged:
        assert load_settings({"OPENBOOKING_PORT": "8300", "OPENBOOKING_SERVICE_HOST": "10.0.0.1"}).port == 8300
    assert logged == []


@pytest.mark.parametrize(("name", "value"), MISSPELT.items())
def test_variables_similar_to_those_of_kubernetes_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({name: value})
