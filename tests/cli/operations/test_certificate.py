"""`openbooking certificate`: a conformance certificate is checked before it is served."""

import json
from pathlib import Path
from typing import Any

import pytest

from openbooking import __version__
from openbooking.clock import SystemClock
from support.command_line import fail, run, succeed

URL = "http://127.0.0.1:8000/conformance"


def write(path: Path, **changes: Any) -> str:
    """Write a certificate as the Test Suite makes it; return the name of the file."""
    document = {
        "@type": "ConformanceCertificate",
        "@id": URL,
        "dateCreated": SystemClock()().isoformat(),
        "featureImplemented": [{"prefLabel": "Named leasing"}],
        "awardedTo": {"name": "Openbooking", "softwareVersion": __version__},
        **changes,
    }
    path.write_text(f'<script type="application/ld+json">{json.dumps(document)}</script>')
    return str(path)


@pytest.mark.usefixtures("database")
def test_a_certificate_of_this_system_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "index.html")
    monkeypatch.setenv("OPENBOOKING_CONFORMANCE_CERTIFICATE", file)
    assert f"ok\tcertificate\tThe dataset site names the conformance certificate {file}." in succeed("check")
    told = succeed("certificate", file)
    assert f"URL\t{URL}" in told
    assert f"version\t{__version__}" in told
    assert "feature\tNamed leasing" in told


@pytest.mark.usefixtures("database")
def test_the_reasons_against_a_certificate_are_told(tmp_path: Path) -> None:
    other = write(tmp_path / "index.html", **{"@id": "https://www.example.com/", "dateCreated": "2020-01-01T00:00:00Z"})
    result = run("certificate", other)
    assert result.exit_code == 1
    assert f"conformanceCertificateId = {URL}" in result.stderr
    assert "valid for three months" in result.stderr
    assert "no conformance certificate" in fail(1, "certificate", __file__)
    assert f"Save {URL} as a file" in fail(1, "certificate", URL)
