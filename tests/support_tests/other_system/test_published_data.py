"""The feeds and the dataset site of the other Booking System."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from openbooking.harvest.verification import verify_feed
from support.other_system.caller import OURS, Caller, feeds, harvested
from support.other_system.system import other_system


@pytest.mark.parametrize("changes", [{}, OURS | {"page_size": 100}, {"modified": "text", "page_size": 1}])
def test_open_feeds_pass_the_verification(changes: dict[str, Any]) -> None:
    with other_system(**changes) as system:
        system.move("yoga", datetime.now(UTC) + timedelta(days=9))
        system.withdraw("badminton")
        system.set_price("pilates", Decimal("7.75"))
        told: list[str] = []
        verdicts = [verify_feed(url, told.append) for url in feeds(system)]
    assert told == []
    assert [verdict.items for verdict in verdicts] == [6, 2, 2, 2, 1]


def test_relative_links_are_read_and_reported() -> None:
    with other_system(next_links="relative") as system:
        told: list[str] = []
        verdict = verify_feed(feeds(system)[0], told.append)
    assert verdict.items == 6
    assert {bool(re.search("next that is not absolute", line)) for line in told} == {True}


def test_items_that_pages_repeat_are_read_once() -> None:
    with other_system(repeated_items=True, page_size=2) as system:
        assert len(harvested(feeds(system)[0])) == 6


def test_parents_are_embedded_or_in_a_feed_of_their_own(caller: Caller) -> None:
    lessons, classes, series, slots, courts = (
        [item["data"] for item in harvested(url) if item["state"] == "updated"] for url in feeds(caller.system)
    )
    assert {"offers", "location", "activity"} <= lessons[0]["superEvent"].keys()
    assert {item["superEvent"]["@id"] for item in classes} == {item["@id"] for item in series}
    assert {item["facilityUse"].get("@type") for item in slots} == {"FacilityUse", "IndividualFacilityUse"}
    assert {item["@id"] for item in courts} < {item["facilityUse"]["@id"] for item in slots}


def test_the_dataset_site_names_feeds_and_the_api(caller: Caller) -> None:
    other = caller.system
    for changes in ({}, {"content_url_lists": True, "endpoint_slash": False, "access": "client credentials"}):
        other.differ(**changes)
        page = caller.client.get(other.url).text
        found = re.search("application/ld.json[^>]*>(.*?)</script>", page, re.DOTALL)
        assert found
        dataset = json.loads(found[1])
        urls = [download["contentUrl"] for download in dataset["distribution"]]
        assert sorted(url for each in urls for url in ([each] if isinstance(each, str) else each)) == sorted(
            feeds(other)
        )
        assert dataset["accessService"]["endpointUrl"].rstrip("/") == other.endpoint.rstrip("/")
        assert ("authenticationAuthority" in dataset["accessService"]) is bool(changes)
