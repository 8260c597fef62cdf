"""The checks of secrets, of settings for trials, and of the dataset site."""

from typing import Any

from openbooking.clock import SystemClock
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.serving.start_checks.publication import check_publication, check_secrets
from openbooking.settings import Settings

SHOWN: dict[str, Any] = {
    "name": "Riverside",
    "publisher_email": "data@example.com",
    "terms_of_service": "https://example.com/terms",
}
PUBLIC: dict[str, Any] = {"site_url": "https://booking.example.com"}


def found_of_site(**values: Any) -> list[Finding]:
    return list(check_publication(Settings(**values), SystemClock()))


def warned(**values: Any) -> set[str]:
    found = [*check_secrets(Settings(**values)), *found_of_site(**SHOWN)]
    return {finding.check for finding in found if finding.result is Result.WARNING}


def test_secrets_and_settings_for_trials_are_checked() -> None:
    assert warned() == set()
    assert warned(metrics_token="0123456789abcdef0123") == set()
    assert warned(metrics_token="secret") == {"secrets"}
    assert warned(test_interface=True) == set()
    assert warned(test_interface=True, **PUBLIC) == {"test interface"}
    assert warned(access="headers", trusted_partner_header="X-Partner", **PUBLIC) == {"access"}


def test_a_dataset_site_is_complete_with_name_email_address_and_terms() -> None:
    (found,) = found_of_site(**SHOWN)
    assert found.result is Result.OK
    for name in SHOWN:
        (found,) = found_of_site(**{key: value for key, value in SHOWN.items() if key != name})
        assert f"OPENBOOKING_{name.upper()}" in found.remedy


def test_a_certificate_that_the_dataset_site_will_not_name_is_told() -> None:
    assert [finding.check for finding in found_of_site(**SHOWN, conformance_certificate="https://example.com/")] == [
        "dataset site"
    ]
    _, found = found_of_site(**SHOWN, conformance_certificate="missing.html")
    assert (found.check, found.result) == ("certificate", Result.WARNING)
    assert "The file missing.html cannot be read: No such file or directory." in found.message
