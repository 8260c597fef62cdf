"""The proxies whose X-Forwarded headers are believed are addresses and networks, because names would be ignored."""

import pytest

from openbooking.settings import Settings, SettingsError


@pytest.mark.parametrize("text", ["", "127.0.0.1", "10.0.0.2, 10.1.0.0/16", "::1,fd00::/8"])
def test_trusted_proxies_are_addresses_and_networks(text: str) -> None:
    assert Settings(trusted_proxies=text).trusted_proxies == text


@pytest.mark.parametrize("text", ["proxy", "*", "10.0.0.1/24", "10.0.0", "127.0.0.1,proxy:80", "127.0.0.1,,::1"])
def test_trusted_proxies_refuse_names_and_other_texts(text: str) -> None:
    with pytest.raises(SettingsError, match=r"trusted_proxies .*10\.0\.0\.0/24"):
        Settings(trusted_proxies=text)
