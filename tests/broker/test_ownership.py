"""Orders and their Customers in the database."""

import pytest

from openbooking.broker.errors import OrderAccessError
from openbooking.broker.money.journal import Journal
from openbooking.broker.ownership import OrderOwners
from openbooking.broker.schema import prepare
from openbooking.broker.store.database import Database


@pytest.fixture
def owners(database: Database) -> OrderOwners:
    prepare(database)
    return OrderOwners(database, Journal(database, "https://one.example/"), "https://one.example/")


@pytest.mark.spec("OB-BRK-01", "OB-BRK-14")
def test_an_order_belongs_to_the_customer_who_began_it(owners: OrderOwners, database: Database) -> None:
    begun = owners.begin("seller", "sam", b"{}")
    other = owners.begin("seller", "eve", b"")
    assert begun.order != other.order
    assert owners.check(begun.order, "sam") == begun
    elsewhere = OrderOwners(database, Journal(database, "https://two.example/"), "https://two.example/")
    for asked, order, key in (
        (owners, begun.order, "eve"),
        (owners, other.order, "sam"),
        (elsewhere, begun.order, "sam"),
    ):
        with pytest.raises(OrderAccessError):
            asked.check(order, key)
    owners.keep(begun.order, b"[]")
    assert owners.of_customer("sam") == (begun._replace(basket=b"[]"),)
    assert elsewhere.of_customer("sam") == ()


def test_a_forgotten_customer_leaves_no_details(owners: OrderOwners, database: Database) -> None:
    for key in ("sam", "eve"):
        begun = owners.begin("seller", key, b"basket of " + key.encode())
        with database.transaction() as transaction:
            transaction.execute("UPDATE broker_purchases SET body = ? WHERE order_uuid = ?", (b"Sam", str(begun.order)))
    under_way = owners.begin("seller", "sam", b"another basket")
    with database.transaction() as transaction:
        transaction.execute(
            "UPDATE broker_purchases SET body = ?, state = 'booking' WHERE order_uuid = ?",
            (b"Sam", str(under_way.order)),
        )
    assert owners.forget("sam") == 1
    with database.transaction() as transaction:
        bodies = [bytes(row[0]) for row in transaction.execute("SELECT body FROM broker_purchases").fetchall()]
    assert sorted(bodies) == [b"", b"Sam", b"Sam"]
    assert [owned.basket for owned in owners.of_customer("sam")] == [b"", b""]
    assert [owned.basket for owned in owners.of_customer("eve")] == [b"basket of eve"]
