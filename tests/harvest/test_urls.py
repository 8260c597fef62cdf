"""Links that may be followed, and keys that all spellings of a URL share."""

import pytest

from openbooking.harvest.urls import LinkError, page_key, resolve_link
from support.feeds.answers import FEED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{FEED}?afterId=a%26b", f"{FEED}?afterId=a&b"),
        (f"{FEED}?afterId=%E9", f"{FEED}?afterId=%E8"),
        (f"{FEED}?a=1&a=2", f"{FEED}?a=2&a=1"),
        (f"{FEED}?afterId=", FEED),
        (f"{FEED}/a%2Fb", f"{FEED}/a/b"),
        (FEED, "https://provider.example.com:8443/feeds/sessions"),
    ],
)
def test_urls_of_different_pages_have_different_keys(one: str, other: str) -> None:
    assert page_key(one) != page_key(other)


@pytest.mark.parametrize(
    ("page_url", "link", "url"),
    [
        (FEED, "http://provider.example.com/feeds/x?a=1", "https://provider.example.com/feeds/x?a=1"),
        (FEED, "http://provider.example.com:80/x", "https://provider.example.com/x"),
        (FEED, "http://provider.example.com:443/x", "https://provider.example.com/x"),
        ("https://a.example:8443/f", "http://a.example/x", "https://a.example:8443/x"),
        ("https://a.example:8443/f", "http://a.example:8443/x", "https://a.example:8443/x"),
        ("http://a.example/f", "https://a.example/x", "https://a.example/x"),
        ("http://a.example/f", "https://me:secret@a.example/x#y", "https://a.example/x"),
        ("http://a.example:8080/f", "http://a.example:8080/x", "http://a.example:8080/x"),
    ],
)
def test_a_feed_read_by_https_is_never_followed_by_http(page_url: str, link: str, url: str) -> None:
    assert resolve_link(page_url, link) == url


def test_a_link_to_https_on_another_port_is_refused() -> None:
    with pytest.raises(LinkError, match="another host"):
        resolve_link("http://a.example:8080/f", "https://a.example/x")
