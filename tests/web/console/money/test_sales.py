"""The money page, and its CSV files."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.booking.store import StoreUnavailableError
from openbooking.booking.views import StoreWithViews
from openbooking.identity.records import Partner
from openbooking.openactive.money import VatTreatment
from support.browsers.form_browser import Page
from support.builders import PLACE, UUID, new_uuid, session
from support.console import SignIn
from support.csv_files import read_csv
from support.http_system import COURT, PILATES, YOGA, World
from support.parties import MANAGER, STUDIO

pytestmark = pytest.mark.anyio

PATH = "/console/money"
SECOND = new_uuid()


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """On 1 March Alice books two spaces of yoga, one of which is cancelled; on 2 March Bob books a court."""
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    world.pass_time(hours=20)
    await world.store.execute(SellerCancel(order=OrderKey("alice", UUID), numbers=frozenset({2}), actor=MANAGER))
    world.pass_time(minutes=1)
    court = world.order(world.item(COURT), payment={"@type": "Payment", "identifier": "=1+1"})
    assert (await world.call("PUT", f"orders/{SECOND}", court, "bob")).status_code == 201


async def open_money(sign_in: SignIn, user: str = "ann", **fields: str) -> Page:
    """Open the page, or save a CSV file."""
    return await (await sign_in(user)).open(f"{PATH}?{urlencode(fields)}")


async def saved(sign_in: SignIn, user: str = "ann", **fields: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return read_csv((await open_money(sign_in, user, format="csv", **fields)).response)


async def test_the_page_shows_this_month_by_day(sign_in: SignIn) -> None:
    page = await open_money(sign_in)
    assert page.status == 200
    assert page.fields["from"]["value"] == "2027-03-01"
    assert page.fields["to"]["value"] == "2027-03-31"
    assert "Mon 1 Mar 2027 2 £24.00 0 £0.00 £0.00" in page.text
    assert "Tue 2 Mar 2027 1 £12.00 1 £12.00 £12.00" in page.text
    assert "Total 3 £36.00 1 £12.00 £12.00" in page.text


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("month", ["March 2027 3 £36.00"]),
        ("partner", ["Alice 2 £24.00", "Bob 1 £12.00"]),
        ("activity", ["Jet Skiing 2 £24.00", "Squash Court 1 £12.00"]),
        ("venue", ["Riverside Centre 3 £36.00"]),
    ],
)
async def test_sales_are_grouped_under_names_that_people_know(sign_in: SignIn, by: str, rows: list[str]) -> None:
    page = await open_money(sign_in, by=by)
    for row in rows:
        assert row in page.text


async def test_a_name_that_only_an_occurrence_has_is_found(world: World, sign_in: SignIn) -> None:
    series, occurrence = session("beach")
    place = {**PLACE, "@id": "https://example.com/places/7#beach", "name": "North Beach"}
    occurrence = set_matching_keys(replace(occurrence, properties={"location": place}))
    await world.store.execute(Publish((series, occurrence), actor=MANAGER))
    await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item([series, occurrence])))
    page = await open_money(sign_in, by="venue")
    assert "North Beach 1 £12.00" in page.text


async def test_vat_is_summed_by_rate(world: World, sign_in: SignIn) -> None:
    reduced = session("reduced", offered={"vat": VatTreatment.REDUCED})
    await world.store.execute(Publish(tuple(reduced), actor=MANAGER))
    await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item(reduced)))
    text = (await open_money(sign_in)).text.partition("as the bookings state it")[2]
    assert "VAT at 5% £12.00 £0.57 £0.00 £0.00 £0.57" in text
    rows = {row["VAT"]: row for row in await saved(sign_in, table="vat")}
    assert rows["VAT at 5%"]["Rate (%)"] == "5"
    assert (rows["VAT at 5%"]["Sold"], rows["VAT at 5%"]["VAT in sold"]) == ("12.00", "0.57")


async def test_the_chart_has_a_column_for_each_amount(sign_in: SignIn) -> None:
    text = (await open_money(sign_in)).response.text
    for told in ("sold £24.00", "cancelled £12.00", "sold £12.00"):
        assert told in text
    assert text.count("<rect x=") == 3
    assert "style=" not in text


async def test_a_deleted_order_counts_as_never_sold(world: World, sign_in: SignIn) -> None:
    assert (await world.call("DELETE", f"orders/{SECOND}", partner="bob")).status_code == 204
    page = await open_money(sign_in)
    assert "Total 2 £24.00 1 £12.00 £12.00" in page.text
    assert {row["Order"] for row in await saved(sign_in, table="lines")} == {UUID}


async def test_links_lead_to_this_month_and_to_the_month_before(sign_in: SignIn) -> None:
    page = (await (await sign_in("ann")).open("/console/money?by=month")).response.text
    assert 'href="/console/money?from=2027-03-01&amp;to=2027-03-31&amp;by=month#found">This month' in page
    assert 'href="/console/money?from=2027-02-01&amp;to=2027-02-28&amp;by=month#found">Last month' in page


async def test_a_period_without_sales_says_so(sign_in: SignIn) -> None:
    page = await open_money(sign_in, **{"from": "2027-02-01", "to": "2027-02-28"})
    assert "Nothing was sold or cancelled from Mon 1 Feb 2027 to Sun 28 Feb 2027." in page.text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2027-02-30"}, "to"),
        ({"from": "2027-03-02", "to": "2027-03-01"}, "to"),
        ({"by": "weather"}, "by"),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", [{}, {"format": "csv"}], ids=["page", "csv"])
async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    sign_in: SignIn, fields: dict[str, str], wrong: str, form: dict[str, str]
) -> None:
    page = await open_money(sign_in, **fields, **form)
    assert page.status == 422
    assert page.summary == [wrong]
    for name in fields.keys() & page.fields.keys():
        assert page.fields[name]["value"] == fields[name]


async def test_sales_are_saved_as_csv(sign_in: SignIn) -> None:
    page = await open_money(sign_in, format="csv", by="day", **{"from": "2027-03-01", "to": "2027-03-02"})
    headers = page.response.headers
    assert headers["content-type"] == "text/csv; charset=utf-8"
    name = "sales-2027-03-01-to-2027-03-02-by-day.csv"
    assert headers["content-disposition"] == f'attachment; filename="{name}"'
    assert headers["cache-control"] == "no-store"
    first, second = read_csv(page.response)
    assert (first["Day"], first["Items sold"], first["Sold"]) == ("2027-03-01", "2", "24.00")
    assert (second["Cancelled"], second["Refund due"], second["Currency"]) == ("12.00", "12.00", "GBP")


async def test_the_csv_of_a_group_has_its_key_and_its_name(sign_in: SignIn) -> None:
    rows = await saved(sign_in, by="activity")
    assert {row["Activity"] for row in rows} == {"Jet Skiing", "Squash Court"}
    assert all(row["Activity key"].startswith("https://openactive.io/") for row in rows)


async def test_lines_add_up_to_what_is_left(sign_in: SignIn) -> None:
    rows = await saved(sign_in, table="lines")
    assert [(row["What"], row["Items"], row["Total"], row["Refund due"]) for row in rows] == [
        ("sold", "1", "12.00", "0.00"),
        ("sold", "1", "12.00", "0.00"),
        ("cancelled by the seller", "-1", "-12.00", "12.00"),
        ("sold", "1", "12.00", "0.00"),
    ]
    assert {row["Activity"] for row in rows} == {"Jet Skiing", "Squash Court"}
    assert {row["Venue"] for row in rows} == {"Riverside Centre"}


async def test_payments_are_saved_for_reconciliation(sign_in: SignIn) -> None:
    court, yoga = await saved(sign_in, table="payments")
    assert (court["Order"], court["Partner"], court["Total booked"], court["Total now due"]) == (
        SECOND,
        "Bob",
        "12.00",
        "12.00",
    )
    assert court["Payment identifier"] == "'=1+1"
    assert (yoga["Payment identifier"], yoga["Total booked"], yoga["Total now due"]) == ("payment-1", "24.00", "12.00")
    assert yoga["Refund due"] == "12.00"
    assert "Geoff" not in str([court, yoga])


async def test_names_in_a_csv_start_no_formula(world: World, sign_in: SignIn) -> None:
    is_saved = False
    while not is_saved:
        # The time of Bob's last use is saved meanwhile.
        (bob,) = await world.identity.find(Partner, key="bob")
        is_saved = await world.identity.save(replace(bob, name="=HYPERLINK(A1)"))
    assert {row["Partner"] for row in await saved(sign_in, by="partner")} == {"Alice", "'=HYPERLINK(A1)"}


async def test_lines_of_many_pages_are_all_saved(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbooking.web.console.money.sales._PAGE", 1)
    assert len(await saved(sign_in, table="lines")) == 4
    assert len(await saved(sign_in, table="payments")) == 2


async def test_an_unknown_table_is_not_found(sign_in: SignIn) -> None:
    assert (await open_money(sign_in, format="csv", table="secrets")).status == 404


async def test_staff_see_no_money(sign_in: SignIn) -> None:
    for fields in ({}, {"format": "csv"}, {"format": "csv", "table": "payments"}):
        page = await open_money(sign_in, "cat", **fields)
        assert page.status == 403
        assert "12.00" not in page.text
    assert "Money" not in (await (await sign_in("cat")).open("/console")).text


async def test_a_seller_sees_its_own_sales_only(world: World, sign_in: SignIn) -> None:
    body: dict[str, Any] = world.order(world.item(PILATES), total=14.4, seller=STUDIO.key)
    assert (await world.call("PUT", f"orders/{new_uuid()}", body)).status_code == 201
    page = await open_money(sign_in, "ben", by="month")
    assert "March 2027 1 £14.40" in page.text
    assert len(await saved(sign_in, "ben", table="lines")) == 1
    assert "Total 3 £36.00" in (await open_money(sign_in)).text


async def test_items_without_a_price_have_no_rows_of_their_own(world: World, sign_in: SignIn) -> None:
    free = session("free", price=Decimal(0))
    await world.store.execute(Publish(tuple(free), actor=MANAGER))
    body = world.order(world.item(free), total=0, payment=None)
    assert (await world.call("PUT", f"orders/{new_uuid()}", body)).status_code == 201
    page = await open_money(sign_in)
    assert "Tue 2 Mar 2027 2 £12.00 1 £12.00 £12.00" in page.text
    assert page.text.count("Tue 2 Mar 2027 ") == page.text.count("VAT at 20% £") == 1
    assert "March 2027 Alice 2 £12.00" in (await (await sign_in("ann")).open("/partners")).text


@pytest.mark.parametrize("fields", [{}, {"format": "csv"}, {"format": "csv", "table": "lines"}], ids=str)
async def test_a_database_that_does_not_answer_becomes_an_error_page(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailableError("Locked.")

    assert isinstance(world.store, StoreWithViews)
    views = type(world.store.views.of("centre"))
    for name in ("sales", "sales_lines"):
        monkeypatch.setattr(views, name, fail)
    page = await open_money(sign_in, **fields)
    assert page.status == 503
    assert page.response.headers["content-type"].startswith("text/html")
