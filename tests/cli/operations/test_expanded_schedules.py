"""`openbooking import --expand-schedules` as a user runs it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.command_line import SELLER_OPTIONS, run, succeed
from support.importing.published_items import page, rpde, series

TODAY = datetime.now(UTC).date()
SCHEDULE = {
    "@type": "Schedule",
    "repeatFrequency": "P1D",
    "startDate": (TODAY + timedelta(days=1)).isoformat(),
    "startTime": "12:00",
    "duration": "PT1H",
    "scheduleTimezone": "UTC",
}


def test_import_makes_the_sessions_of_schedules_for_as_long_as_timetables_are_published(tmp_path: Path) -> None:
    succeed("seller", "add", "willow", *SELLER_OPTIONS)
    file, report = tmp_path / "page.json", tmp_path / "report.jsonl"
    file.write_bytes(page(rpde(series(eventSchedule=[SCHEDULE], maximumAttendeeCapacity=5))))
    result = run("import", str(file), "--seller", "willow", "--expand-schedules", "--report", str(report))
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert 55 <= sum(line["outcome"] == "bookable" for line in lines) <= 56
    assert "sessions of its Schedule made: " in result.output
    assert "could be taken over" in succeed("import", str(file), "--seller", "willow", "--dry-run")
