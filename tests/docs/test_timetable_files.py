"""The page about timetable files names every key and column, and its examples can be applied."""

import re
from pathlib import Path

import msgspec
import pytest

from openbooking.booking.model import timetable
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.csv_columns import LAYOUTS, Layout
from openbooking.timetable.files.shapes import KINDS, key_of_field
from openbooking.timetable.files.toml_writing import write_toml
from support.timetables import WITHOUT_SITE

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "timetable-files.md").read_text(encoding="utf-8")
DESCRIBED = {"class", "facility", "event", "course", "on-demand"}
PARTS = {
    kind.__name__: kind
    for kind in (
        timetable.WeeklyTime,
        timetable.OpeningHours,
        timetable.Court,
        timetable.PriceBand,
        timetable.Price,
        timetable.ChangeFrom,
        timetable.OccurrenceTerms,
        timetable.Terms,
    )
}
STRUCTS: dict[str, type[msgspec.Struct]] = {**KINDS, **PARTS}
EXAMPLES = [["classes.toml"], ["courts.toml"], ["course.toml"], ["venues.csv", "classes.csv", "courts.csv"]]


def documented(name: str) -> dict[str, bool]:
    """Return the keys of a table of the page, and whether they are required."""
    table = PAGE.split(f"<!-- keys: {name} -->\n", 1)[1].split("\n\n", 1)[0]
    return {key: bool(required) for key, required in re.findall(r"^\| `(\w+)`( \(required\))? \|", table, re.MULTILINE)}


def struct_keys(kind: type[msgspec.Struct]) -> dict[str, bool]:
    return {key_of_field(kind, field.name): field.required for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("name", STRUCTS)
def test_every_key_is_documented(name: str) -> None:
    told = documented(name)
    if name in DESCRIBED:
        described = documented("described")
        if name == "facility":
            described["types"] = described.pop("activities")
        assert not told.keys() & described.keys()
        told |= described
    assert told == struct_keys(STRUCTS[name])


def test_no_other_keys_are_documented() -> None:
    assert set(re.findall(r"<!-- keys: ([\w-]+) -->", PAGE)) == {"described", *STRUCTS}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_column_is_documented(layout: Layout) -> None:
    text = PAGE.split(f"<!-- columns: {layout.name} -->\n", 1)[1].split(".", 1)[0]
    assert tuple(re.findall(r"`(\w+)`", text)) == layout.columns


@pytest.mark.parametrize("names", EXAMPLES, ids=lambda names: names[0])
def test_the_examples_have_no_fault_and_are_linked(names: list[str]) -> None:
    files = [SourceFile(name, (REFERENCE / "timetables" / name).read_bytes()) for name in names]
    rules = read_files(WITHOUT_SITE, files, {})
    assert (
        read_files(WITHOUT_SITE, [SourceFile("written.toml", write_toml(rules, WITHOUT_SITE.default_vat).encode())], {})
        == rules
    )
    for name in names:
        assert f"(timetables/{name})" in PAGE


def test_all_examples_are_tested() -> None:
    assert {path.name for path in (REFERENCE / "timetables").iterdir()} == {
        name for names in EXAMPLES for name in names
    }


def test_the_examples_have_every_kind_of_entry() -> None:
    texts = [(REFERENCE / "timetables" / name).read_text(encoding="utf-8") for names in EXAMPLES for name in names]
    assert {kind for kind in KINDS if f"[{kind}." in "".join(texts)} == set(KINDS)
