"""The names of sources."""

import pytest

from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.reading.source import named_source, source_of


@pytest.mark.parametrize(
    ("path_or_url", "source"),
    [
        ("https://provider.example.com/feeds/a?afterTimestamp=1#x", "https://provider.example.com/feeds/a"),
        ("https://x.example/a?limit=5&club=north&afterId=1&AfterChangeNumber=2", "https://x.example/a?club=north"),
        ("https://x.example:443/a", "https://x.example/a"),
        ("https://x.example/a?b=2&a=1", "https://x.example/a?a=1&b=2"),
        ("https://x.example/a?api_key=s&club=1&access_token=s&password=s", "https://x.example/a?club=1"),
        ("https://x.example/a?authToken=s&club=1&userKey=s&sessionId=s&username=s", "https://x.example/a?club=1"),
        ("HTTP://user:secret@Provider.Example.com:8080/a", "http://provider.example.com:8080/a"),
        ("/feeds/../feeds/a.json", "/feeds/a.json"),
    ],
)
def test_a_source_is_named_by_its_path_or_url_without_cursor_and_credentials(path_or_url: str, source: str) -> None:
    assert source_of(path_or_url).name == source
    if path_or_url.lower().startswith("http"):
        assert named_source(path_or_url) == source_of(path_or_url)


@pytest.mark.parametrize(
    ("path_or_url", "why"), [("-", "--source"), ("http://[", "no valid URL"), ("http://a:b/", "no valid URL")]
)
def test_standard_input_and_invalid_urls_name_no_source(path_or_url: str, why: str) -> None:
    with pytest.raises(ImportRefusedError, match=why):
        source_of(path_or_url)


@pytest.mark.parametrize("name", ["timetable:centre/spin", "Timetable:", "timetable:x#y"])
def test_a_source_cannot_have_the_name_of_a_timetable(name: str) -> None:
    with pytest.raises(ImportRefusedError, match="timetable: is for timetables"):
        named_source(name)
    assert named_source("timetable").name == "timetable"
