"""`openbooking feed verify` on feeds with faults."""

from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from openbooking.harvest import verification
from openbooking.harvest.client import HarvestOptions
from openbooking.harvest.reader import Limits
from support.paged_feed import SITE, feed, item, page


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("feed", "verify", *arguments))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read feeds without a pause between attempts."""
    monkeypatch.setattr(verification, "_OPTIONS", HarvestOptions(limits=Limits(first_pause=0), documents=True))


END = page(2)


@pytest.mark.spec("OB-FEED-02", "OB-FEED-12", "OB-FEED-16")
def test_a_sound_feed_has_no_faults() -> None:
    with feed(page(2, item(1), item(2, "y", state="deleted", data=None)), {}, END) as url:
        result = verify(url)
    assert (result.exit_code, result.stdout) == (0, f"{url}: 2 items on 2 pages, 0 faults\n")


@pytest.mark.spec("OB-FEED-17")
def test_a_page_without_items_is_not_a_fault() -> None:
    with feed(page(1, item(1)), page(5), None, None, None, page(6, item(6, "y")), page(6)) as url:
        result = verify(url)
    assert (result.exit_code, result.stdout) == (0, f"{url}: 2 items on 4 pages, 0 faults\n")


@pytest.mark.spec("OB-FEED-34")
def test_an_empty_page_of_a_feed_by_time_may_keep_its_time() -> None:
    first, second = "afterId=a&afterTimestamp=1", "afterTimestamp=1&afterId=b"
    pages = {"": page_by_time(first, item(1, "a")), first: page_by_time(second), second: page_by_time(second)}
    with feed(pages) as url:
        assert verify(url).stdout == f"{url}: 1 items on 3 pages, 0 faults\n"
    pages = {"": page_by_time(second, item(1, "b")), second: page_by_time(first), first: page_by_time(first)}
    with feed(pages) as url:
        assert "which is no later position" in verify(url).stdout


def page_by_time(following: str, *items: Any) -> dict[str, Any]:
    return {**page(0, *items), "next": f"{SITE}/feed?{following}"}


@pytest.mark.spec("OB-FEED-05")
def test_a_feed_by_time_orders_items_of_one_time_by_id() -> None:
    after_y = "afterId=y&afterTimestamp=1"
    with feed(page_by_time(after_y, item(1, "x"), item(1, "y")), page_by_time(after_y)) as url:
        assert verify(url).stdout == f"{url}: 2 items on 2 pages, 0 faults\n"
    with feed(page_by_time(after_y, item(1, "z"), item(1, "y")), page_by_time(after_y)) as url:
        assert "y at 1 comes after 1" in verify(url).stdout


FAULTY: dict[str, list[Any]] = {
    "comes after": [page(1, item(2), item(1)), END, END],
    "y at 2 comes after 2": [page(2, item(2), item(2, "y")), {}, END],
    "its next begins after": [page(2, item(1)), {}, END],
    "has the state gone": [page(2, item(2), item(2, state="gone")), {}, END],
    "has no data": [page(2, item(1, "y", data=None), item(2)), {}, END],
    "is deleted and has data": [page(2, item(1, "y", state="deleted", data={"x": 1}), item(2)), {}, END],
    "without id": [page(2, {"modified": 1}, item(2)), {}, END],
    "but its next is": [page(2, item(2)), {}, page(1)],
    "its next is itself": [page(2, item(2)), {}, page(2, item(3))],
    "names no position": [{"items": [item(1)], "next": f"{SITE}/feed"}],
    "which names no position": [page(2, item(2)), {}, {"items": [], "next": f"{SITE}/feed?x=1"}],
    "which is no later position": [page(2, item(2)), {}, page(0)],
    "has no items": [{"next": f"{SITE}/feed"}],
    "it has no next": [page(2, item(2)), {}, {"items": [item(3)]}],
    "it was answered with status 404": [page(2, item(2)), {}, None],
    "an item cannot be read": [page(2, item(2)), {}, page(2, item(3, name="\ud800"))],
    "a next that is not absolute: /feed?afterChangeNumber=2": [
        page(2, item(2)),
        {},
        {**page(2), "next": "/feed?afterChangeNumber=2"},
    ],
    "x is the id of items of several kinds": [page(2, item(1), item(2, kind="Event")), {}, END],
}


@pytest.mark.parametrize("told", FAULTY)
def test_verify_reports_a_fault_of_a_feed(told: str) -> None:
    with feed(*FAULTY[told]) as url:
        result = verify(f"{url}?afterChangeNumber=0")
    assert result.exit_code == 1, result.stdout
    assert told in result.stdout


def test_verify_reports_a_missing_feed_in_one_line() -> None:
    result = verify("http://127.0.0.1:9/feed")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be read" in result.stderr
