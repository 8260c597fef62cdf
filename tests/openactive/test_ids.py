"""Identifiers are made and parsed without loss, and other texts are not parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.openactive.ids import Identifiers, OfferRef, OrderItemRef, key_of, opportunity_path, parse_uuid
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import OrderType

IDS = Identifiers("https://booking.example.com/api/")
UUID = "e11429ea-467f-4270-ab62-e47368996fe8"
keys = st.from_regex(r"[A-Za-z0-9._~-]{1,128}", fullmatch=True)
types = st.sampled_from(OpportunityType)


@pytest.mark.spec("OB-ID-01", "OB-DISC-02")
@given(type_=types, key=keys, offer=keys)
def test_ids_of_opportunities_and_offers_are_parsed_without_loss(type_: OpportunityType, key: str, offer: str) -> None:
    path = opportunity_path(type_, key)
    assert key_of(path) == key
    assert IDS.parse_opportunity(IDS.opportunity(path)) == path
    ref = OfferRef(path, offer)
    assert IDS.parse_offer(IDS.offer(ref)) == ref


@pytest.mark.spec("OB-ID-08", "OB-ID-09", "OB-ID-10")
@given(uuid=st.uuids(), number=st.integers(1, 999_999))
def test_ids_of_orders_and_items_are_parsed_without_loss(uuid: object, number: int) -> None:
    ref = OrderItemRef(str(uuid), number)
    assert IDS.order_item(ref) == f"https://booking.example.com/api/orders/{uuid}#/orderedItem/{number}"
    assert IDS.parse_order_item(IDS.order_item(ref)) == ref
    assert IDS.parse_order(IDS.order(OrderType.ORDER, str(uuid))) == str(uuid)
    assert IDS.order(OrderType.QUOTE, str(uuid)) == f"https://booking.example.com/api/order-quotes/{uuid}"


@given(text=st.text())
def test_other_texts_are_not_identifiers(text: str) -> None:
    for uri in (text, f"https://booking.example.com/api/identifiers/{text}"):
        path = IDS.parse_opportunity(uri)
        assert path is None or IDS.opportunity(path) == uri
        offer = IDS.parse_offer(uri)
        assert offer is None or IDS.offer(offer) == uri
        seller = IDS.parse_seller(uri)
        assert seller is None or IDS.seller(seller) == uri


@pytest.mark.spec("OB-CAN-14", "OB-ID-09")
@pytest.mark.parametrize("number", ["", "0", "01", "000001", "\u0661", "1\n", "+1", "-1", "1.0", "1_0", "1" * 7])
def test_the_number_of_an_item_has_one_form(number: str) -> None:
    order = IDS.order(OrderType.ORDER, UUID)
    assert IDS.parse_order_item(f"{order}#/orderedItem/1") == OrderItemRef(UUID, 1)
    assert IDS.parse_order_item(f"{order}#/orderedItem/{number}") is None


@pytest.mark.spec("OB-VAL-14")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://elsewhere.example.com/api/identifiers/slots/1",
        "https://booking.example.com/api/identifiers/slots/",
        "https://booking.example.com/api/identifiers/slots/1/2",
        "https://booking.example.com/api/identifiers/slots/1\n",
        "https://booking.example.com/api/identifiers/planets/1",
        "https://booking.example.com/api/identifiers/slots/../sellers/1",
        "https://booking.example.com/api/identifiers/slots/" + "1" * 129,
    ],
)
def test_an_id_of_another_form_is_not_parsed(uri: str) -> None:
    assert IDS.parse_opportunity(uri) is None
    assert IDS.parse_offer(uri + "#/offers/1") is None
    assert IDS.parse_seller(uri) is None


@pytest.mark.spec("OB-ID-07")
@pytest.mark.parametrize("text", ["", "x", UUID[:-1], UUID + "0", UUID.replace("-", ""), f"{{{UUID}}}", UUID + "\n"])
def test_a_text_that_is_no_uuid_is_not_parsed(text: str) -> None:
    assert parse_uuid(text) is None
    assert parse_uuid(UUID.upper()) == UUID


def test_the_seller_of_a_single_seller_system_has_an_id_without_a_key() -> None:
    single = Identifiers("http://localhost:8000/api", "1")
    assert single.seller("1") == "http://localhost:8000/api/identifiers/seller"
    assert single.parse_seller("http://localhost:8000/api/identifiers/seller") == "1"
    assert IDS.parse_seller("https://booking.example.com/api/identifiers/seller") is None
