"""The hosted conformance certificate, and the dataset site that names it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openbooking import __version__
from support.http_system import SITE, World, open_world
from support.validators import Validator

pytestmark = pytest.mark.anyio

URL = f"{SITE}/conformance"


def certificate(**changes: Any) -> str:
    """Return a page as the Test Suite makes it."""
    document = {
        "@context": "https://openactive.io/",
        "@type": "ConformanceCertificate",
        "@id": URL,
        "name": "OpenActive Conformance Certificate",
        "dateCreated": "2027-02-01T12:00:00.000Z",
        "validFor": "P3M",
        "featureImplemented": [{"@type": "Concept", "prefLabel": "Simple Booking of free opportunities"}],
        "awardedTo": {"@type": "Organization", "name": "Openbooking", "url": SITE, "softwareVersion": __version__},
        **changes,
    }
    script = json.dumps(document)
    return f'<html><head><script>let a = 1;</script><script type="application/ld+json">{script}</script></head></html>'


def awarded(**changes: str) -> dict[str, Any]:
    """Return a change of the holder."""
    return {"awardedTo": {"name": "Openbooking", "softwareVersion": __version__, **changes}}


async def credential(world: World) -> str | None:
    """Return the certificate that the dataset site names."""
    text = (await world.client.get("/openactive")).text
    dataset = json.loads(re.findall(r'ld\+json">(.*?)</script>', text)[0])
    named: str | None = dataset["bookingService"].get("hasCredential")
    assert ("Conformance certificate" in text) == bool(named)
    return named


@pytest.mark.spec("OB-DISC-16")
async def test_the_certificate_is_served_and_named(tmp_path: Path, validator: Validator) -> None:
    file = tmp_path / "index.html"
    file.write_text(certificate())
    async with open_world("memory", tmp_path, conformance_certificate=str(file)) as world:
        world.judged = False
        assert await credential(world) == URL
        for path in ("/conformance", "/conformance/"):
            page = await world.client.get(path)
            assert (page.status_code, page.text) == (200, certificate())
            assert page.headers["content-type"].startswith("text/html")
        text = (await world.client.get("/openactive")).text
        dataset = json.loads(re.findall(r'ld\+json">(.*?)</script>', text)[0])
        assert validator.failures("DatasetSite", dataset) == []
        world.pass_time(days=70)
        assert await credential(world) is None


async def test_the_script_of_the_certificate_runs_in_a_sandbox(tmp_path: Path) -> None:
    """It has an origin of its own, so that it cannot read pages of this site or act for people."""
    file = tmp_path / "index.html"
    file.write_text(certificate())
    async with open_world("memory", tmp_path, conformance_certificate=str(file)) as world:
        world.judged = False
        policy = (await world.client.get("/conformance")).headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "allow-forms" not in policy


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (certificate(**{"@id": "https://www.example.com/"}), "conformanceCertificateId = https://booking.example.com"),
        (certificate(**awarded(name="Another")), "awarded to Another"),
        (certificate(**awarded(softwareVersion="0.0.1")), "of version 0.0.1"),
        (certificate(dateCreated="2026-11-01T12:00:00Z"), "valid for three months"),
        (certificate(dateCreated="yesterday"), "no conformance certificate"),
        (certificate(**{"@type": "Dataset"}), "no conformance certificate"),
        ("<html></html>", "no conformance certificate"),
        ('<script type="application/ld+json">[]</script>', "no conformance certificate"),
        (None, "cannot be read"),
    ],
)
async def test_a_certificate_of_another_system_or_version_is_not_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], page: str | None, reason: str
) -> None:
    file = tmp_path / "index.html"
    if page is not None:
        file.write_text(page)
    async with open_world("memory", tmp_path, conformance_certificate=str(file)) as world:
        world.judged = False
        assert await credential(world) is None
        assert (await world.client.get("/conformance")).status_code == (404 if page is None else 200)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "conformance.certificate_not_named" in line]
    assert reason in line


async def test_a_certificate_that_is_hosted_elsewhere_is_named(tmp_path: Path) -> None:
    url = "https://certificates.example.com/openactive/"
    async with open_world("memory", tmp_path, conformance_certificate=url) as world:
        assert await credential(world) == url
        assert (await world.client.get("/conformance")).status_code == 404


async def test_without_a_setting_there_is_no_certificate(sqlite_world: World) -> None:
    assert await credential(sqlite_world) is None
    assert (await sqlite_world.client.get("/conformance")).status_code == 404
