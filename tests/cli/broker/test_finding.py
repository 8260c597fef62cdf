"""`openbooking broker discover`, `harvest` and `search` at a Booking System that differs from ours."""

import json
import re
import socket
from functools import partial

import pytest
from typer.testing import CliRunner

from openbooking.broker import run as run_flow
from openbooking.cli import app
from support.broker.commands import Run
from support.other_system.system import OtherSystem


def test_discover_shows_the_api_and_the_feeds(run: Run, other: OtherSystem) -> None:
    result = run("discover")
    cells = dict(line.split("\t") for line in result.stdout.splitlines())
    assert cells["api"] == other.endpoint.rstrip("/")
    assert "feed of ScheduledSession" in cells
    assert json.loads(run("discover", "--json").stdout)["api"] == cells["api"]


def test_harvest_counts_pages_and_items(run: Run) -> None:
    result = run("harvest", "--database", ":memory:")
    assert result.exit_code == 0
    assert "read to its end" in result.stdout
    assert "ScheduledSession: 3 pages, 6 items" in result.stderr
    ends = [json.loads(line) for line in run("harvest", "--database", ":memory:", "--json").stdout.splitlines()]
    assert sum(end["items"] for end in ends) > 8
    assert {end["fault"] for end in ends} == {""}


def test_harvest_ends_with_status_1_after_a_fault(run: Run, other: OtherSystem) -> None:
    other.fail_next("open feed", 404, times=1)
    result = run("harvest", "--database", ":memory:")
    other.fail_no_more()
    assert result.exit_code == 1


def test_search_shows_hits_with_their_prices(run: Run, other: OtherSystem) -> None:
    lines = run("search", "--text", "yoga").stdout.splitlines()
    assert len(lines) == 2
    assert lines[1].split("\t")[2:5] == ["Yoga", "4", "6.50 GBP"]
    (hit,) = map(json.loads, run("search", "--text", "yoga", "--json").stdout.splitlines())
    assert hit["offers"][0]["offer"] == other.opportunity("yoga").offer_id


def test_search_sorts_by_distance(run: Run) -> None:
    near = run("search", "--near", "50.9,1.8,20").stdout
    assert " km" in near
    far = run("search", "--near", "10,10,20")
    assert "Nothing was found" in far.stderr


def test_search_lists_activities(run: Run) -> None:
    lines = run("search", "--activities").stdout.splitlines()
    assert lines[0] == "Activity\tCan be booked"
    listed = [json.loads(line) for line in run("search", "--activities", "--json").stdout.splitlines()]
    assert [f"{each['label']}\t{each['opportunities']}" for each in listed] == lines[1:]
    found = run("search", "--activity", listed[0]["label"]).stdout.splitlines()[1:]
    assert len(found) == listed[0]["opportunities"]


def test_search_finds_an_opportunity_by_its_id(run: Run, other: OtherSystem) -> None:
    yoga = other.opportunity("yoga")
    (hit,) = map(json.loads, run("search", "--id", yoga.id, "--json").stdout.splitlines())
    assert (hit["opportunity"], hit["name"]) == (yoga.id, "Yoga")
    assert "was not found" in run("search", "--id", "https://nowhere.example.com/1").stderr


def test_pauses_are_told(other: OtherSystem, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbooking.broker.drivers.run", partial(run_flow, sleep=lambda _: None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = CliRunner().invoke(app, ["broker", "discover", f"http://127.0.0.1:{port}/openactive"])
    assert result.exit_code == 1
    pauses = [line for line in result.stderr.splitlines() if line.startswith("No answer came: ")]
    assert len(pauses) > 1
    assert all(re.search(r" Trying again in \d+ s\.$", line) for line in pauses)
    other.fail_next("open feed", 503, times=1)
    harvested = run("harvest", "--database", ":memory:")
    other.fail_no_more()
    assert " status 503" in harvested.stderr
    assert "Trying again in 0 s." in harvested.stderr


def test_search_shows_pages(run: Run) -> None:
    pages = [run("search", "--limit", "3", "--page", page).stdout.splitlines()[1:] for page in "12"]
    assert [len(page) for page in pages] == [3, 3]
    assert set(pages[0]).isdisjoint(pages[1])
    assert pages[1][0].startswith("4\t")


@pytest.mark.parametrize("near", ["here", "1,2", "91,0,5", "0,181,5", "0,0,0", "nan,0,5", "0,0,inf"])
def test_search_refuses_places_that_are_none(run: Run, near: str) -> None:
    result = run("search", f"--near={near}")
    assert result.exit_code == 2
    assert "is no place" in result.stderr


@pytest.mark.parametrize("url", ["booking.example.com/openactive", "/api"])
def test_errors_say_what_the_url_must_be(other: OtherSystem, url: str) -> None:
    result = CliRunner().invoke(app, ["broker", "discover", other.url.rstrip("/") + url if url == "/api" else url])
    assert result.exit_code == 1
    assert "The URL must be that of a dataset site, such as https://" in result.stderr
    assert result.stderr.count("\n") == 1


def test_search_names_the_url_that_was_not_harvested(run: Run, other: OtherSystem) -> None:
    result = run("search", "--database", ":memory:")
    assert f"`openbooking broker harvest {other.url}`" in result.stderr
