"""The Sellers of imported items: given, named by the items, or inherited from parents and children."""

from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.importing.errors import ImportRefusedError
from support.http_system import World
from support.importing.made_up_imports import SERIES, feed, import_
from support.importing.published_items import (
    SELLER,
    facility,
    rpde,
    series,
    session,
)
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio


async def test_an_import_adds_the_named_seller_and_does_not_change_it_later(world: World) -> None:
    told = await import_(world.store, series(), session(), facility(), seller=None)
    assert [line["outcome"] for line in told] == ["seller", "parent", "parent", "bookable"]
    made = next(seller for seller in await world.store.sellers() if told[0]["path"] == f"sellers/{seller.key}")
    assert (made.name, made.properties) == ("Riverside Centre", {name: SELLER[name] for name in ("url", "address")})
    await world.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    again = await import_(world.store, series(organizer={**SELLER, "name": "Other"}), session(), seller=None)
    assert [line["outcome"] for line in again] == ["parent", "bookable"]
    assert made in await world.store.sellers()


async def test_the_most_complete_description_of_a_seller_is_used(world: World) -> None:
    bare, reference = {"@id": SELLER["@id"], "name": "Riverside Centre"}, SELLER["@id"]
    items = (series(organizer=reference), series(**{"@id": "x:2"}, organizer=bare), facility())
    told = await import_(world.store, *items, seller=None)
    assert [line["outcome"] for line in told] == ["seller", "parent", "parent", "parent"]
    assert "remarks" not in told[0]


@pytest.mark.parametrize(
    ("item", "seller", "why"),
    [
        (series(organizer=None), None, "missing Seller: it has no organizer"),
        (series(organizer="https://example.com/nobody"), None, "missing Seller: Seller https://example.com/nobody"),
        (series(organizer=None), CENTRE.key, None),
    ],
)
async def test_an_item_without_a_known_seller_is_not_imported(
    world: World, item: dict[str, Any], seller: str | None, why: str | None
) -> None:
    told = await import_(world.store, item, session(), facility(), seller=seller)
    if why is None:
        assert told.reasons() == []
        return
    missing, orphan = told.reasons()
    assert missing.startswith(why)
    assert orphan.startswith("parent not found")
    assert len(told.outcomes()) == 3


@pytest.mark.spec("OB-BKBL-31")
async def test_a_child_has_the_seller_of_its_parent(world: World) -> None:
    other = {**SELLER, "@id": "https://other.example.com/", "name": "Other"}
    told = await import_(world.store, series(), session(organizer=other), seller=None)
    assert told[-1]["remarks"] == ["sold by Riverside Centre, not by Seller Other"]
    assert len(await world.store.sellers()) == 3


async def test_a_series_imported_alone_keeps_the_seller_that_its_sessions_named(world: World) -> None:
    told = await import_(world.store, series(organizer=None), session(organizer=SELLER), seller=None)
    assert told.outcomes() == ["parent", "bookable"]
    again = await import_(world.store, series(organizer=None, name="Judo"), seller=None)
    assert again.outcomes() == ["parent"]
    assert {data["name"] for data in (await feed(world, SERIES)).values()} >= {"Judo"}


async def test_an_import_for_an_unknown_seller_is_refused(world: World) -> None:
    with pytest.raises(ImportRefusedError, match="no Seller nobody"):
        await import_(world.store, series(), seller="nobody")


async def test_a_series_without_a_seller_has_the_seller_of_its_sessions(world: World) -> None:
    items = rpde(series(organizer=None)), rpde(session(organizer=SELLER))
    told = await import_(world.store, *items, seller=None)
    assert told.outcomes() == ["parent", "bookable"]
    assert (await feed(world, SERIES))[told.path("series/1")]["organizer"]["name"] == SELLER["name"]


async def test_a_series_without_a_seller_has_the_seller_of_its_embedded_sessions(world: World) -> None:
    embedded = session(superEvent=None, organizer=SELLER)
    told = await import_(world.store, rpde(series(organizer=None, subEvent=[embedded])), seller=None)
    assert told.outcomes() == ["parent", "bookable"]


async def test_an_embedded_series_has_the_seller_of_its_session(world: World) -> None:
    told = await import_(world.store, rpde(session(organizer=SELLER, superEvent=series(organizer=None))), seller=None)
    assert told.outcomes() == ["parent", "bookable"]


async def test_a_series_whose_sessions_name_two_sellers_is_not_imported(world: World) -> None:
    other = {**SELLER, "@id": "x:other", "name": "Other"}
    items = rpde(series(organizer=None)), rpde(session(organizer=SELLER)), rpde(session(2, organizer=other))
    told = await import_(world.store, *items, seller=None)
    assert told.outcomes() == ["not imported"] * 3
    assert told.reasons()[0].startswith("missing Seller: ")
