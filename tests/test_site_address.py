"""The forms of `site_url` and `api_path`."""

import pytest

from openbooking.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    "url",
    [
        "https://club.example//",
        "https://club.example/a//b",
        "https://club.example/../a",
        "https://club.example/a/.",
        "https://club.example/a%20b",
        "https://club.example/a b",
        "https://club.example/{a}",
        "https://club.example:0",
        "https://club.example:00/a",
        "https://club.example/?a",
        "https://club.example?",
        "https://club.example/#a",
        "https://ann@club.example",
        "https://:443",
        "https://club.example:65536",
        "https://club.example:99999/a",
        "https://club.example:070000",
        "https://club.example:port",
    ],
)
def test_site_url_with_more_than_host_and_path_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="api_path"):
        load_settings({"OPENBOOKING_SITE_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://club.example",
        "https://club.example/",
        "https://[::1]:8443",
        "http://localhost:1",
        "http://localhost:65535",
    ],
)
def test_site_url_may_be_a_host(url: str) -> None:
    assert load_settings({"OPENBOOKING_SITE_URL": url}).site == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "site", "path"),
    [
        ("https://club.example", "https://club.example", ""),
        ("https://club.example:8443/", "https://club.example:8443", ""),
        ("https://club.example/booking/", "https://club.example/booking", "/booking"),
        ("https://club.example/a.b/~c", "https://club.example/a.b/~c", "/a.b/~c"),
        ("http://[::1]:8000/booking", "http://[::1]:8000/booking", "/booking"),
    ],
)
def test_site_url_may_have_the_path_of_a_mount(url: str, site: str, path: str) -> None:
    settings = load_settings({"OPENBOOKING_SITE_URL": url})
    assert (settings.site, settings.site_path, settings.base_uri) == (site, path, f"{site}/api")


@pytest.mark.parametrize("api_path", ["/{x}", "/a//b", "/a?b", "/a/../b", "/a b"])
def test_api_path_that_is_no_path_is_refused(api_path: str) -> None:
    with pytest.raises(SettingsError, match=r"It must be a path such as /api"):
        load_settings({"OPENBOOKING_API_PATH": api_path})
