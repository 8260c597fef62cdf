"""The table of Opportunity types: every row is complete, and rows fit together."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from openbooking.openactive import opportunity_types
from openbooking.openactive.ids import is_key
from openbooking.openactive.opportunity_row import Dates, ParentRow, Row
from openbooking.openactive.opportunity_types import TYPE_OF_COLLECTION, TYPE_OF_NAME, OpportunityType
from support.package_copy import copy_package

EVERY_TYPE = pytest.mark.parametrize("type_", OpportunityType)
SCRIPT = Path(__file__).parents[1] / "support" / "made_up_type.py"
PARENT = OpportunityType.SCHEDULED_SESSION.row.parent
MADE_UP_ROW = """
    SUMMER_CAMP = (
        "SummerCamp",
        Row(
            vocabulary=OPENACTIVE,
            collection="summer-camps",
            feed="summer-camps",
            rpde_kinds=(),
            bookable=True,
            dates=Dates.TIMES,
            capacity=CapacityProperties("maximumCampers", "remainingCampers"),
            has_status=True,
            seller_property="organizer",
            parent=ParentRow(
                types=("SessionSeries",),
                property="campSeries",
                child_property="camp",
                required=False,
                embedded=False,
                gives_offers=True,
                gives_dates=False,
                gives_description=False,
            ),
            max_spaces_of_child=None,
            has_parts=False,
            excluded=("eventSchedule",),
            expected=("name",),
        ),
    )
"""


@pytest.mark.parametrize("lacking", [*Row.__struct_fields__, *ParentRow.__struct_fields__])
def test_a_row_that_lacks_a_property_is_refused(lacking: str) -> None:
    whole = OpportunityType.SCHEDULED_SESSION.row if lacking in Row.__struct_fields__ else PARENT
    assert whole is not None
    given = {name: value for name, value in msgspec.structs.asdict(whole).items() if name != lacking}
    with pytest.raises(TypeError, match=f"'{lacking}'"):
        type(whole)(**given)


@EVERY_TYPE
def test_a_type_has_a_collection_of_its_own_and_the_feed_of_a_collection(type_: OpportunityType) -> None:
    assert TYPE_OF_COLLECTION[type_.collection] is type_
    assert is_key(type_.collection)
    assert TYPE_OF_COLLECTION[type_.feed].feed == type_.feed


@EVERY_TYPE
def test_every_parent_of_a_type_embeds_it_as_a_child(type_: OpportunityType) -> None:
    link = type_.row.parent
    assert [str(parent) for parent in type_.parents] == list(link.types if link else ())
    assert all(link and type_ in parent.children[link.child_property] for parent in type_.parents)
    assert all(parent.depth < type_.depth for parent in type_.parents)


@EVERY_TYPE
def test_spaces_and_status_belong_to_types_that_can_be_booked(type_: OpportunityType) -> None:
    row = type_.row
    assert row.seller_property in ("organizer", "provider")
    assert row.bookable or row.capacity is None
    assert row.bookable or row.dates is Dates.NONE
    assert row.bookable or not row.has_status
    assert (row.capacity is not None) is type_.is_dated
    assert set(row.excluded).isdisjoint(row.expected)


@EVERY_TYPE
def test_a_type_is_stored_under_its_name(type_: OpportunityType) -> None:
    written = msgspec.json.encode(type_)
    assert written == f'"{TYPE_OF_NAME[str(type_)]}"'.encode()
    assert msgspec.json.decode(written, type=OpportunityType) is type_


@pytest.mark.spec("OB-BKBL-31")
def test_offers_are_inherited_from_a_session_series_alone() -> None:
    assert [type_ for type_ in OpportunityType if type_.gives_offers] == [OpportunityType.SESSION_SERIES]
    assert [type_ for type_ in OpportunityType if type_.inherits_offers] == [OpportunityType.SCHEDULED_SESSION]


def test_a_further_type_needs_one_row(tmp_path: Path) -> None:
    """A copy of the package with one more row publishes, quotes, books and imports items of the new type."""
    table = copy_package(tmp_path) / "openactive" / Path(opportunity_types.__file__).name
    text = table.read_text("utf-8")
    before_last_row = "\n    ON_DEMAND_EVENT = ("
    assert text.count(before_last_row) == 1
    table.write_text(text.replace(before_last_row, MADE_UP_ROW + before_last_row), "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(SCRIPT.parents[1])])}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "published, quoted, booked, imported"
